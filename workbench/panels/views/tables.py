"""Tables to export as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from workbench.evaluation.uncompressed_file import uncompressed_bytes
from workbench.session import Session


def to_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return `rows`, which have equal keys, as UTF-8 CSV with a header; no rows give no bytes."""
    text = io.StringIO(newline="")
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue().encode()


def results(session: Session) -> list[dict[str, Any]]:
    """Return one row for each visited recipe: recipe, file size in bytes, value of the metric."""
    original_bytes = uncompressed_bytes(session.origin_model)
    return [
        {
            "model": visit.model,
            "recipe": visit.recipe.to_json(),
            "bytes": visit.bytes,
            "times_smaller": round(original_bytes / visit.bytes, 3),
            session.model.task.metric.name.replace(" ", "_"): visit.value,
        }
        for visit in session.visited
    ]
