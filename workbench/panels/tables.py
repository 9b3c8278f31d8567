"""Tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from workbench.session import Session


def to_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return rows of equal keys as UTF-8 CSV with a head line; empty when there are no rows."""
    text = io.StringIO(newline="")
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue().encode()


def results(session: Session) -> list[dict[str, Any]]:
    """Return what was visited, one row each: recipe, length, accuracy."""
    whole = session.model.original_bytes
    return [
        {
            "model": session.model.name,
            "recipe": visit.recipe.to_json(),
            "bytes": visit.bytes,
            "times_smaller": round(whole / visit.bytes, 3),
            session.model.task.metric.name.replace(" ", "_"): visit.value,
        }
        for visit in session.visited
    ]
