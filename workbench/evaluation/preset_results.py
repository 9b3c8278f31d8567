"""The results of the presets: of built-in models from a table in the package, of others measured.

`python -m workbench.checkpoints --presets` makes the table.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.evaluation.cached_results import cached_report
from workbench.recipe import Recipe
from workbench.recipe.presets import PRESETS


def table_path() -> Path:
    """Return the file of the table."""
    return Path(str(files("workbench.evaluation") / "preset_results.json"))


def preset_results(model: Model, store: ResultCache) -> dict[str, tuple[int, float]]:
    """Return file size and metric on validation of each preset by name, as far as they are known.

    They are unknown for presets and models that have changed since the table was made, and for
    users' models until `measure_presets` was called.
    """
    if model.name not in _table():
        return _measured(model, store)
    entry = _table()[model.name]
    if entry["sha256"] != model.digest:
        return {}
    return {
        preset.name: (result["bytes"], result["value"])
        for preset in PRESETS
        if (result := entry["presets"].get(_digest(preset.recipe)))
    }


def measure_presets(model: Model, store: ResultCache, cancel: CancelToken) -> None:
    """Measure the original and the presets of a model, so that `store` holds their results.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled.
    """
    from workbench.evaluation.measure import iter_reports  # loads torch

    for recipe in (Recipe(), *(preset.recipe for preset in PRESETS)):
        for _report in iter_reports(model, recipe, store=store, cancel=cancel):
            cancel.check()


def _measured(model: Model, store: ResultCache) -> dict[str, tuple[int, float]]:
    results = {}
    for preset in PRESETS:
        report = cached_report(model, preset.recipe, "validation", store)
        if report is not None and report.exact and report.score is not None:
            results[preset.name] = (report.size.bytes, report.score.value)
    return results


@cache
def _digest(recipe: Recipe) -> str:
    """Return the digest of a preset's recipe; the picture asks for it at every step."""
    return recipe.digest


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(table_path().read_text("utf-8"))
    return table
