"""Marks for right and wrong predictions, which do not rely on color."""

from __future__ import annotations

from workbench.plots.palette import Palette

RIGHT, WRONG = "✓", "✗"


def mark_prediction(name: str, *, right: bool, palette: Palette) -> str:
    """Return the name of a predicted class followed by a mark."""
    mark, color = (RIGHT, palette.good) if right else (WRONG, palette.bad)
    return f'{name} <span style="color:{color}">{mark}</span>'
