"""The examples that compression made the network see otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import formatting
from workbench.i18n import _, plural
from workbench.i18n import mark as N_
from workbench.plots.marks import mark_prediction
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.sheet import LETTER, escape_text, sheet, sheet_width, text_trace
from workbench.plots.style import Figure, layout
from workbench.zoo.reviews.words import detokenize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.analysis.comparison import Comparison

KINDS = {
    "lost": N_("went wrong"),
    "won": N_("became right"),
    "moved": N_("wrong in another way"),
}
"""The ways in which a prediction changes: names of properties of `Comparison`, and their words."""
ROWS = 2
SIDE = 28 + 6
"""Width of a tile in pixels of an image, the gap included."""
DEEP = 28 + 21
"""Height of a tile, with room for three lines of text."""
TILE = 144
"""Height of a tile on the screen, in px."""
FINEST = 56
"""Pixels that a tile shows of a larger image, across and up."""
ENTRIES = 8
"""Examples on a page of a list."""
ENTRY = 64
"""Height of one of them, in px: what became of it, and two lines of how it reads."""
WENT: dict[str, Callable[[int], str]] = {
    "image": lambda n: plural("{count} image went wrong", "{count} images went wrong", n),
    "words": lambda n: plural("{count} text went wrong", "{count} texts went wrong", n),
    "frames": lambda n: plural("{count} recording went wrong", "{count} recordings went wrong", n),
    "own": lambda n: plural("{count} example went wrong", "{count} examples went wrong", n),
}
"""By the kind of example."""


def draw(
    changes: Comparison,
    examples: Any,
    palette: Palette = LIGHT,
    *,
    kind: str = "lost",
    first: int = 0,
    columns: int = 8,
    rows: int = ROWS,
    form: str = "image",
) -> Figure:
    """Draw examples whose prediction changed: the label, and below it what it was taken for.

    Parameters
    ----------
    changes
    examples
        Those of the split by number, as a person looks at them: uint8 [h, w], float32 [frames,
        features], words, or None.
    kind
        A key of `KINDS`.
    first
        How many of that kind to pass over.
    columns, rows
        How many tiles stand side by side, and in how many rows at most.
    form
        What the examples are: "image" and "frames" are drawn as tiles, others as a list.
    """
    numbers = visible_examples(changes, kind, first, columns, form)
    if form not in TILED:
        return _listed(changes, examples, numbers, palette, columns, form)
    numbers = numbers[: columns * rows]
    tall = max(1, -(-len(numbers) // columns))
    tiles, notes = [], []
    for place, number in enumerate(numbers):
        row, column = divmod(place, columns)
        top, left = row * DEEP, column * SIDE + (SIDE - 28) // 2
        tiles.append(TILED[form](examples[number], left, top))
        notes.append(_note(changes, number, left + 13.5, top + 28, palette))
    low, high = _reach(tiles) if form == "frames" else (0.0, 255.0)
    hidden = {"visible": False, "fixedrange": True}
    return {
        "data": tiles,
        "layout": layout(
            palette,
            summary(changes, form),
            height=56 + TILE * tall,
            margin={"l": 8, "r": 8, "t": 48, "b": 8},
            xaxis={**hidden, "range": [-0.5, columns * SIDE - 0.5], "constrain": "domain"},
            yaxis={
                **hidden,
                "range": [tall * DEEP - 0.5, -0.5],
                "scaleanchor": "x",
                "constrain": "domain",
                "constraintoward": "top",
            },
            coloraxis={
                "colorscale": [[0, palette.ground], [1, palette.ink]],
                "cmin": low,
                "cmax": high,
                "showscale": False,
            },
            annotations=notes or [_note_of_nothing()],
        ),
    }


def tile_at(x: float, y: float, columns: int, form: str = "image") -> int:
    """Return the number of the tile or entry that a point of the picture lies in, row by row."""
    if form not in TILED:
        return int(y // ENTRY)
    return int(y // DEEP) * columns + int(x // SIDE)


def page_size(columns: int, form: str = "image") -> int:
    """Return how many examples are shown at once."""
    return columns * ROWS if form in TILED else ENTRIES


def visible_examples(
    changes: Comparison, kind: str, first: int, columns: int, form: str = "image"
) -> Sequence[int]:
    """Return the numbers of the examples that `draw` shows."""
    found: Sequence[int] = getattr(changes, kind)[first : first + page_size(columns, form)].tolist()
    return found


def summary(changes: Comparison, form: str = "image") -> str:
    """Return what has changed, in a sentence."""
    lost, won = len(changes.lost), len(changes.won)
    if not len(changes.flipped):
        return _("No prediction changed")
    said = WENT[form](lost).format(count=formatting.count(lost))
    if lost:
        worst = int(np.bincount(changes.labels[changes.lost]).argmax())
        said = _("{said}, mostly {name}").format(said=said, name=_(changes.classes[worst]))
    return _("{said}; {count} became right").format(said=said, count=formatting.count(won))


def rows(changes: Comparison) -> list[dict[str, Any]]:
    """Return the picture's data as a table: every example whose prediction changed."""
    return changes.rows()


def _image_tile(image: NDArray[np.uint8], left: int, top: int) -> dict[str, Any]:
    """Return an image in a square of 28: a smaller one is enlarged, of a larger one pixels drop."""
    every = -(-max(image.shape[:2]) // FINEST)
    image = image[::every, ::every]
    high, wide = image.shape[:2]
    size = 28 / max(high, wide)
    begin = left + (28 - wide * size + size - 1) / 2, top + (28 - high * size + size - 1) / 2
    return _tile(image.tolist(), begin, (size, size))


def _frames_tile(frames: NDArray[np.float32], left: int, top: int) -> dict[str, Any]:
    """Return a sound as a map, time across and coefficients up."""
    long, high = frames.shape
    across, up = 28 / long, 28 / high
    z = np.round(frames.T[::-1].astype(np.float64), 3).tolist()
    return _tile(z, (left + (across - 1) / 2, top + (up - 1) / 2), (across, up))


def _tile(z: list[Any], begin: tuple[float, float], step: tuple[float, float]) -> dict[str, Any]:
    place = {"x0": begin[0], "dx": step[0], "y0": begin[1], "dy": step[1], "hoverinfo": "none"}
    if np.ndim(z) == 3:  # in colour
        return {"type": "image", "z": z, **place}
    return {"type": "heatmap", "z": z, "coloraxis": "coloraxis", **place}


TILED: dict[str, Callable[[Any, int, int], dict[str, Any]]] = {
    "image": _image_tile,
    "frames": _frames_tile,
}
"""What is drawn as a tile, and how."""


def _reach(tiles: list[dict[str, Any]]) -> tuple[float, float]:
    grey = [tile["z"] for tile in tiles if tile["type"] == "heatmap"]
    values = [value for z in grey for row in z for value in row]
    return min(values, default=0.0), max(values, default=1.0)


def _listed(
    changes: Comparison,
    examples: Any,
    numbers: Sequence[int],
    palette: Palette,
    columns: int,
    form: str,
) -> Figure:
    """Draw a list: what became of each example, and below it how it begins."""
    width = sheet_width(columns)
    lines: list[tuple[float, float, str]] = []
    for place, number in enumerate(numbers):
        label, before, after = _said(changes, number, palette)
        top = place * ENTRY
        lines.append((0, top + 12, f"{label}: {before} → {after}"))
        begun = _beginning(examples[number], number, int(width / LETTER))
        lines += [(0, top + 30 + 17 * row, escape_text(text)) for row, text in enumerate(begun)]
    lines = lines or [(0, ENTRY / 2, _nothing())]
    height = max(1, len(numbers)) * ENTRY
    return sheet(palette, summary(changes, form), [text_trace(lines, palette)], (width, height), [])


def _beginning(example: Any, number: int, letters: int) -> list[str]:
    """Return how an example begins, in two lines at most; of one without words, its number."""
    if example is None:
        return [_("example {number}, counted from 0").format(number=formatting.count(number))]
    return wrap(detokenize(example), letters, max_lines=2, placeholder=" …")


def _said(changes: Comparison, number: int, palette: Palette) -> tuple[str, str, str]:
    label = int(changes.labels[number])
    before, after = (
        mark_prediction(_(changes.name(seen)), right=seen == label, palette=palette)
        for seen in (int(changes.before[number]), int(changes.after[number]))
    )
    return f'<b style="color:{palette.ink}">{_(changes.classes[label])}</b>', before, after


def _note(changes: Comparison, number: int, x: float, y: float, palette: Palette) -> dict[str, Any]:
    label, before, after = _said(changes, number, palette)
    return _text(f"{label}<br>{before}<br>→ {after}", x=x, y=y, yanchor="top")


def _nothing() -> str:
    return _("There are none.")


def _note_of_nothing() -> dict[str, Any]:
    return _text(_nothing(), x=0.5, y=0.5, xref="paper", yref="paper")


def _text(text: str, **place: Any) -> dict[str, Any]:
    return {"text": text, "showarrow": False, "align": "center", "font": {"size": 11}, **place}
