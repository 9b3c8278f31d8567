"""How a picture says that a prediction is right or wrong, without relying on colour."""

from __future__ import annotations

from workbench.plots.palette import Palette

RIGHT, WRONG = "✓", "✗"


def mark_prediction(name: str, *, right: bool, palette: Palette) -> str:
    """Return the name of a predicted class with a mark behind it."""
    mark, colour = (RIGHT, palette.good) if right else (WRONG, palette.bad)
    return f'{name} <span style="color:{colour}">{mark}</span>'
