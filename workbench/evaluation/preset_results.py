"""The results of the presets on the built-in models, which the package contains as a table.

`python -m workbench.checkpoints --presets` measures them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from workbench.domain import Model
from workbench.recipe.presets import PRESETS


def table_path() -> Path:
    """Return the file of the table."""
    return Path(str(files("workbench.evaluation") / "preset_results.json"))


def preset_results(model: Model) -> dict[str, tuple[int, float]]:
    """Return file size and metric on validation of each preset by name.

    Presets and models that have changed since the measurement, and users' models, have none.
    """
    entry = _table().get(model.name, {})
    if entry.get("sha256") != model.digest:
        return {}
    return {
        preset.name: (result["bytes"], result["value"])
        for preset in PRESETS
        if (result := entry["presets"].get(preset.recipe.digest))
    }


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(table_path().read_text("utf-8"))
    return table
