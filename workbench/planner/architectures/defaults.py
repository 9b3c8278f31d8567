"""Entries that the configuration of a language model inside another one may leave out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from workbench.planner.architectures.fields import ALIASES


def with_defaults(entries: Mapping[str, Any], family: str) -> dict[str, Any]:
    """Return entries with those that transformers adds for a family, by any of their names."""
    groups = [{name, *others} for name, others in ALIASES.items()]
    given = set(entries)
    for group in groups:
        if group & given:
            given |= group
    added = {name: value for name, value in _table().get(family, {}).items() if name not in given}
    return {**added, **entries}


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, Any]]:
    path = files("workbench.planner").joinpath("tables/defaults.json")
    families: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["families"]
    return families
