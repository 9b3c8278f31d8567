"""A text twice, before and after compression, with what each word adds to the prediction."""

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
"""Width of a letter in px: all are as wide in this script, so that words can be placed."""
LINE = 26
HEAD = 32
FAINT, LINED, BOLD = 0.06, 0.3, 0.6
"""From which share of the strongest word on a word is coloured, lined and set bold."""
CLOSING = frozenset(".,!?;:)")
OPENING = frozenset("(")

Place = tuple[int, int]


def draw(
    found: Attribution, palette: Palette, title: str, heads: Sequence[str], columns: int
) -> Figure:
    """Draw the words of `found` as they stand, `columns` wide, coloured by sign and size.

    What speaks for the predicted class is orange and underlined where it is strong, what speaks
    against it blue and overlined; the strongest are bold. `heads` are said above the two.
    """
    width = sheet_width(columns)
    places, count = place_words(found.content, width // CELL)
    largest = max(
        (float(np.abs(look.attributions).max(initial=0)) for look in looks(found)), default=0
    )
    data, shapes, top = [], [], 0
    lines: list[tuple[float, float, str]] = []
    for head, look in zip(heads, looks(found), strict=True):
        lines.append((0, top + HEAD / 2, head))
        strengths = look.attributions / (largest or 1.0)
        data.append(_words(found.content, look, strengths, places, top + HEAD, palette))
        for word, strength, place in zip(found.content, strengths.tolist(), places, strict=True):
            shapes += _marks(word, strength, place, top + HEAD, palette)
        top += HEAD + count * LINE + 8
    notes = _legend()
    for note in notes if width < 560 else [", ".join(notes)]:
        lines.append((0, top + 14, note))
        top += 24
    data.append(text_trace(lines, palette))
    return sheet(palette, title, data, (width, top), shapes)


def looks(found: Attribution) -> tuple[Explanation, Explanation]:
    """Return both looks in order."""
    return found.before, found.after


def place_words(words: Sequence[str], cells: int) -> tuple[list[Place], int]:
    """Return where each word begins, (cell, line), in lines of so many cells, and the lines."""
    places: list[Place] = []
    cell = line = 0
    for number, word in enumerate(words):
        tight = word in CLOSING or (number > 0 and words[number - 1] in OPENING)
        begin = cell if tight or not cell else cell + 1
        if begin + len(word) > cells and begin:
            begin, line = 0, line + 1
        places.append((begin, line))
        cell = begin + len(word)
    return places, line + 1


def _words(
    words: Sequence[str],
    look: Explanation,
    strengths: Any,
    places: Sequence[Place],
    top: int,
    palette: Palette,
) -> dict[str, Any]:
    written = [
        f"<b>{escape_text(word)}</b>" if abs(strength) >= BOLD else escape_text(word)
        for word, strength in zip(words, strengths, strict=True)
    ]
    middles = [(cell + len(w) / 2) * CELL for w, (cell, _line) in zip(words, places, strict=True)]
    lines = [top + line * LINE + LINE / 2 for _cell, line in places]
    return text_trace(
        list(zip(middles, lines, written, strict=True)),
        palette,
        textposition="middle center",
        textfont={"size": 13, "family": MONO, "color": palette.ink},
        customdata=np.round(look.attributions.astype(np.float64), 4).tolist(),
        hoverinfo="all",
        hovertemplate="%{text}: <b>%{customdata:+.3f}</b><extra></extra>",
    )


def _marks(
    word: str, strength: float, place: Place, top: int, palette: Palette
) -> list[dict[str, Any]]:
    size = abs(strength)
    if size < FAINT:
        return []
    blue, orange = palette.categories[:2]
    colour = orange if strength > 0 else blue
    cell, line = place
    y = top + line * LINE
    ends = {"x0": cell * CELL, "x1": (cell + len(word)) * CELL}
    fill = {
        "type": "rect",
        **ends,
        "y0": y + 3,
        "y1": y + LINE - 3,
        "fillcolor": colour,
        "opacity": round(0.08 + 0.42 * size, 3),
        "line": {"width": 0},
        "layer": "below",
    }
    if size < LINED:
        return [fill]
    at = y + (LINE - 3 if strength > 0 else 3)
    rule = {"type": "line", **ends, "y0": at, "y1": at, "line": {"color": colour, "width": 2}}
    return [fill, rule]


def _legend() -> list[str]:
    return [_("underlined: speaks for the class"), _("overlined: speaks against it")]


def rows(found: Attribution) -> list[dict[str, Any]]:
    """Return the picture's data as a table: a row for each word."""
    parts = zip(found.content, found.before.attributions, found.after.attributions, strict=True)
    return [
        {"place": place, "word": word, "before": float(before), "after": float(after)}
        for place, (word, before, after) in enumerate(parts)
    ]
