"""A text before and after compression, with the contribution of each word to the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.i18n import _
from workbench.plots.palette import Palette
from workbench.plots.sheet import MONO, escape_text, sheet, sheet_width, text_trace
from workbench.plots.style import Figure

if TYPE_CHECKING:
    from workbench.analysis.attribution import Attribution, Explanation

CELL = 8
"""Width of a letter in px in the monospaced font, so that words can be placed."""
LINE = 26
HEADING = 32
COLORED, LINED, BOLD = 0.06, 0.3, 0.6
"""Minimum strength, relative to the strongest word, for color, a line and bold text."""
CLOSING = frozenset(".,!?;:)")
OPENING = frozenset("(")

Place = tuple[int, int]
"""The first cell and the line of a word."""


def draw(
    result: Attribution, palette: Palette, title: str, headings: Sequence[str], columns: int
) -> Figure:
    """Draw the text twice, `columns` wide, with words colored by sign and strength.

    Words that support the predicted class are orange, and underlined if strong. Words that oppose
    it are blue, and overlined if strong. The strongest are bold. `headings` go above the texts.
    """
    width = sheet_width(columns)
    places, count = place_words(result.content, width // CELL)
    both = result.before, result.after
    largest = max(float(np.abs(explanation.attributions).max(initial=0)) for explanation in both)
    data, shapes, top = [], [], 0
    lines: list[tuple[float, float, str]] = []
    for heading, explanation in zip(headings, both, strict=True):
        lines.append((0, top + HEADING / 2, heading))
        strengths = explanation.attributions / (largest or 1.0)
        data.append(_words(result.content, explanation, strengths, places, top + HEADING, palette))
        for word, strength, place in zip(result.content, strengths.tolist(), places, strict=True):
            shapes += _marks(word, strength, place, top + HEADING, palette)
        top += HEADING + count * LINE + 8
    notes = _legend()
    for note in notes if width < 560 else [", ".join(notes)]:
        lines.append((0, top + 14, note))
        top += 24
    data.append(text_trace(lines, palette))
    return sheet(palette, title, data, (width, top), shapes)


def place_words(words: Sequence[str], cells: int) -> tuple[list[Place], int]:
    """Return the place of each word in lines of `cells` letters, and the number of lines."""
    places: list[Place] = []
    cell = line = 0
    for number, word in enumerate(words):
        tight = word in CLOSING or (number > 0 and words[number - 1] in OPENING)
        start = cell if tight or not cell else cell + 1
        if start + len(word) > cells and start:
            start, line = 0, line + 1
        places.append((start, line))
        cell = start + len(word)
    return places, line + 1


def _words(
    words: Sequence[str],
    explanation: Explanation,
    strengths: Any,
    places: Sequence[Place],
    top: int,
    palette: Palette,
) -> dict[str, Any]:
    texts = [
        f"<b>{escape_text(word)}</b>" if abs(strength) >= BOLD else escape_text(word)
        for word, strength in zip(words, strengths, strict=True)
    ]
    middles = [(cell + len(w) / 2) * CELL for w, (cell, _line) in zip(words, places, strict=True)]
    lines = [top + line * LINE + LINE / 2 for _cell, line in places]
    return text_trace(
        list(zip(middles, lines, texts, strict=True)),
        palette,
        textposition="middle center",
        textfont={"size": 13, "family": MONO, "color": palette.ink},
        customdata=np.round(explanation.attributions.astype(np.float64), 4).tolist(),
        hoverinfo="all",
        hovertemplate="%{text}: <b>%{customdata:+.3f}</b><extra></extra>",
    )


def _marks(
    word: str, strength: float, place: Place, top: int, palette: Palette
) -> list[dict[str, Any]]:
    size = abs(strength)
    if size < COLORED:
        return []
    blue, orange = palette.categories[:2]
    color = orange if strength > 0 else blue
    cell, line = place
    y = top + line * LINE
    ends = {"x0": cell * CELL, "x1": (cell + len(word)) * CELL}
    fill = {
        "type": "rect",
        **ends,
        "y0": y + 3,
        "y1": y + LINE - 3,
        "fillcolor": color,
        "opacity": round(0.08 + 0.42 * size, 3),
        "line": {"width": 0},
        "layer": "below",
    }
    if size < LINED:
        return [fill]
    at = y + (LINE - 3 if strength > 0 else 3)
    stroke = {"type": "line", **ends, "y0": at, "y1": at, "line": {"color": color, "width": 2}}
    return [fill, stroke]


def _legend() -> list[str]:
    return [_("underlined: supports the class"), _("overlined: opposes it")]


def rows(result: Attribution) -> list[dict[str, Any]]:
    """Return the figure's data as a table: a row for each word."""
    parts = zip(result.content, result.before.attributions, result.after.attributions, strict=True)
    return [
        {"place": place, "word": word, "before": float(before), "after": float(after)}
        for place, (word, before, after) in enumerate(parts)
    ]
