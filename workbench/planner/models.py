"""Open models by name: the facts of their configurations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class KnownModel:
    """A published model: its name, the entries of its configuration, and where they stand."""

    name: str
    title: str
    config: dict[str, Any]
    source: str
    date: str


@lru_cache(maxsize=1)
def known_models() -> dict[str, KnownModel]:
    """Return all models of the table by name."""
    text = files("workbench.planner").joinpath("tables/models.json").read_text(encoding="utf-8")
    rows = json.loads(text)["rows"]
    return {row["name"]: KnownModel(**row) for row in rows}
