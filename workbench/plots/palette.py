"""The colors of the page and its figures, light and dark.

One accent for the current point, gray for earlier ones, Okabe and Ito's set for categories. Text
colors have a contrast of at least 4.5:1 on their background in both themes, which a test checks.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Colors by their use."""

    ground: str
    panel: str
    line: str
    field: str
    ink: str
    muted: str
    accent: str
    on_accent: str
    soft: str
    past: str
    shade: str
    bad: str
    bad_ground: str
    good: str
    categories: tuple[str, ...]


OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#999999")

LIGHT = Palette(
    ground="#f6f5f2",
    panel="#ffffff",
    line="#e2e0da",
    field="#8b8f98",
    ink="#1c1f26",
    muted="#5b616e",
    accent="#c2410c",
    on_accent="#ffffff",
    soft="#fdeee4",
    past="#8b8f98",
    shade="rgba(28, 31, 38, 0.07)",
    bad="#a01824",
    bad_ground="#fdecec",
    good="#0b6b50",
    categories=OKABE_ITO,
)

DARK = Palette(
    ground="#14161a",
    panel="#1c1f25",
    line="#31353e",
    field="#7a808c",
    ink="#eceded",
    muted="#a3a9b5",
    accent="#ff9457",
    on_accent="#14161a",
    soft="#38271d",
    past="#868c98",
    shade="rgba(236, 237, 237, 0.08)",
    bad="#ff9c9c",
    bad_ground="#3a2024",
    good="#5fd0ab",
    categories=("#3f9fd8", "#e69f00", "#1fb98c", "#e08fbd", "#8fd0f5", "#a3a3a3"),
)

THEMES = {"light": LIGHT, "dark": DARK}
