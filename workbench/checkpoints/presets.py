"""Measure the presets on every built-in model, for the table that the package contains."""

from __future__ import annotations

import json
from typing import Any

from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.evaluation.measure import measure
from workbench.evaluation.preset_results import table_path
from workbench.recipe.presets import PRESETS, Preset
from workbench.zoo import model
from workbench.zoo.tables import ARCHITECTURES


def write_presets() -> None:
    """Write the table of results."""
    table = {name: _entry(model(name)) for name in ARCHITECTURES}
    table_path().write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def measure_preset(source: Model, preset: Preset) -> dict[str, Any]:
    """Return the file size and the exact metric on validation of one preset."""
    report = measure(source, preset.recipe, timed=False, store=ResultCache())
    return {"preset": preset.name, "bytes": report.bytes, "value": report.value}


def _entry(source: Model) -> dict[str, Any]:
    results = {preset.recipe.digest: measure_preset(source, preset) for preset in PRESETS}
    return {"sha256": source.digest, "presets": results}
