"""The buttons of the presets: what each does, and what it gives for the model."""

from __future__ import annotations

from workbench.plots import points
from workbench.plots.finding import finding
from workbench.recipe.presets import PRESETS
from workbench.session import Session


def presets(session: Session) -> list[dict[str, str]]:
    """Return key, label and explanation of each preset; the latter names results that are known."""
    model = session.origin_model
    original, metric = points.original(model), model.task.metric
    known = {
        mark.name: finding(original, mark.spot, metric)
        for mark in points.presets(model, session.store)
    }
    return [
        {
            "key": preset.name,
            "label": preset.label,
            "help": f"{preset.help} {known[preset.name]}." if preset.name in known else preset.help,
        }
        for preset in PRESETS
    ]
