"""Examples whose prediction changed by compression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import formatting
from workbench.errors import InputError
from workbench.i18n import _, mark as N_, plural
from workbench.plots.marks import mark_prediction
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.sheet import LETTER, escape_text, sheet, sheet_width, text_trace
from workbench.plots.style import Figure, layout
from workbench.zoo.reviews.words import detokenize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.analysis.comparison import Comparison

KINDS = {
    "became_wrong": N_("went wrong"),
    "became_right": N_("became right"),
    "stayed_wrong": N_("wrong in a different way"),
}
"""The kinds of changed predictions: properties of `Comparison`, and their labels."""
ROWS = 2
TILE_WIDTH = 28 + 6
"""Width of a tile in image pixels, including the gap."""
TILE_HEIGHT = 28 + 21
"""Height of a tile in image pixels, with room for three lines of text."""
TILE_PX = 144
"""Height of a tile on the screen, in px."""
ENLARGED = 2
"""How many times larger tiles are that fill at most such a part of one row."""
MAX_PIXELS = 56
"""Pixels that a tile shows of a larger image, in each direction."""
ENTRIES = 8
"""Examples on one page of a list."""
ENTRY_PX = 64
"""Height of a list entry in px: its predictions, and two lines of its text."""
COUNTED: dict[str, Callable[[int], str]] = {
    "image": lambda n: plural("{count} image", "{count} images", n),
    "words": lambda n: plural("{count} text", "{count} texts", n),
    "frames": lambda n: plural("{count} recording", "{count} recordings", n),
    "custom": lambda n: plural("{count} example", "{count} examples", n),
}
"""By display type."""
TITLES = {
    "flipped": N_("{examples} that rounding decides"),
    "became_wrong": N_("{examples} went wrong"),
    "became_right": N_("{examples} became right"),
    "stayed_wrong": N_("{examples} stayed wrong, with another class"),
}
OPPOSITES = {
    "became_wrong": ("became_right", N_("{text}; {count} became right")),
    "became_right": ("became_wrong", N_("{text}; {count} went wrong")),
}
"""The kind that a title mentions too, and how."""


def draw(
    comparison: Comparison,
    examples: Any,
    palette: Palette = LIGHT,
    *,
    kind: str = "became_wrong",
    first: int = 0,
    columns: int = 8,
    rows: int = ROWS,
    display_type: str = "image",
) -> Figure:
    """Draw examples whose prediction changed, with the label and both predictions.

    Parameters
    ----------
    comparison
        The comparison of both models.
    examples
        The split's readable examples by number: uint8 images of shape [height, width] or [height,
        width, 3], float32 arrays of shape [frames, features], tuples of words, texts, or None.
    palette
        The colors.
    kind
        A key of `KINDS`; or "flipped" for all changed predictions, which the comparison of a
        runtime with its file uses.
    first
        How many examples of that kind to skip.
    columns, rows
        Tiles side by side, and the maximum number of rows.
    display_type
        "image" and "frames" are drawn as tiles, other types as a list.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    if kind not in TITLES:
        raise InputError(
            f"There are no examples of the kind {kind!r}: choose from {', '.join(KINDS)}.",
            code="argument.unknown_kind",
        )
    numbers = visible_examples(comparison, kind, first, columns, display_type)
    title = summary(comparison, display_type, kind)
    if display_type not in TILED:
        return _draw_list(comparison, examples, numbers, palette, columns, title)
    numbers = numbers[: columns * rows]
    if 0 < len(numbers) <= columns // ENLARGED:
        columns, height = columns // ENLARGED, ENLARGED * TILE_PX
    else:
        height = TILE_PX
    lines = max(1, -(-len(numbers) // columns))
    tiles, notes = [], []
    for position, number in enumerate(numbers):
        row, column = divmod(position, columns)
        y, x = row * TILE_HEIGHT, column * TILE_WIDTH + (TILE_WIDTH - 28) // 2
        tiles.append(TILED[display_type](examples[number], x, y))
        notes.append(_note(comparison, number, x + 13.5, y + 28, palette))
    low, high = _value_range(tiles) if display_type == "frames" else (0.0, 255.0)
    hidden = {"visible": False, "fixedrange": True}
    return {
        "data": tiles,
        "layout": layout(
            palette,
            title,
            height=56 + height * lines,
            margin={"l": 8, "r": 8, "t": 48, "b": 8},
            xaxis={**hidden, "range": [-0.5, columns * TILE_WIDTH - 0.5], "constrain": "domain"},
            yaxis={
                **hidden,
                "range": [lines * TILE_HEIGHT - 0.5, -0.5],
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
            annotations=notes or [_empty_note()],
        ),
    }


def tile_at(x: float, y: float, columns: int, display_type: str = "image") -> int:
    """Return the index of the tile or entry at a point of the figure, row by row."""
    if display_type not in TILED:
        return int(y // ENTRY_PX)
    return int(y // TILE_HEIGHT) * columns + int(x // TILE_WIDTH)


def page_size(columns: int, display_type: str = "image") -> int:
    """Return how many examples one page shows."""
    return columns * ROWS if display_type in TILED else ENTRIES


def visible_examples(
    comparison: Comparison, kind: str, first: int, columns: int, display_type: str = "image"
) -> Sequence[int]:
    """Return the indices of the examples that `draw` shows."""
    last = first + page_size(columns, display_type)
    numbers: Sequence[int] = getattr(comparison, kind)[first:last].tolist()
    return numbers


def summary(comparison: Comparison, display_type: str = "image", kind: str = "became_wrong") -> str:
    """Summarize the changed predictions of a kind in one sentence."""
    if not len(comparison.flipped):
        return _("No prediction changed")
    numbers = getattr(comparison, kind)
    examples = COUNTED[display_type](len(numbers)).format(count=formatting.count(len(numbers)))
    text = _(TITLES[kind]).format(examples=examples)
    if len(numbers) > 1:
        text = _with_class(text, np.bincount(comparison.labels[numbers]), comparison.classes)
    if kind not in OPPOSITES:
        return text
    opposite, template = OPPOSITES[kind]
    count = formatting.count(len(getattr(comparison, opposite)))
    return _(template).format(text=text, count=count)


def _with_class(text: str, counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    """Add the label that most examples have, or more than any other label."""
    most = int(counts.argmax())
    if 2 * counts[most] > counts.sum():
        text = _("{text}, mostly {name}").format(text=text, name=_(classes[most]))
    elif (counts == counts[most]).sum() == 1:
        text = _("{text}, most often {name}").format(text=text, name=_(classes[most]))
    return text


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the figure's data as a table: every example whose prediction changed."""
    return comparison.rows()


def _image_tile(image: NDArray[np.uint8], x: int, y: int) -> dict[str, Any]:
    """Return an image scaled to a square of side 28, after subsampling a large one."""
    step = -(-max(image.shape[:2]) // MAX_PIXELS)
    image = image[::step, ::step]
    height, width = image.shape[:2]
    size = 28 / max(height, width)
    start = x + (28 - width * size + size - 1) / 2, y + (28 - height * size + size - 1) / 2
    return _tile(image.tolist(), start, (size, size))


def _frames_tile(frames: NDArray[np.float32], x: int, y: int) -> dict[str, Any]:
    """Return a sound as a map: time across, coefficients up."""
    length, features = frames.shape
    across, up = 28 / length, 28 / features
    z = np.round(frames.T[::-1].astype(np.float64), 3).tolist()
    return _tile(z, (x + (across - 1) / 2, y + (up - 1) / 2), (across, up))


def _tile(z: list[Any], start: tuple[float, float], step: tuple[float, float]) -> dict[str, Any]:
    place = {"x0": start[0], "dx": step[0], "y0": start[1], "dy": step[1], "hoverinfo": "none"}
    if np.ndim(z) == 3:  # in color
        return {"type": "image", "z": z, **place}
    return {"type": "heatmap", "z": z, "coloraxis": "coloraxis", **place}


TILED: dict[str, Callable[[Any, int, int], dict[str, Any]]] = {
    "image": _image_tile,
    "frames": _frames_tile,
}
"""The display types that are drawn as tiles, and how."""


def _value_range(tiles: list[dict[str, Any]]) -> tuple[float, float]:
    gray = [tile["z"] for tile in tiles if tile["type"] == "heatmap"]
    values = [value for z in gray for row in z for value in row]
    return min(values, default=0.0), max(values, default=1.0)


def _draw_list(
    comparison: Comparison,
    examples: Any,
    numbers: Sequence[int],
    palette: Palette,
    columns: int,
    title: str,
) -> Figure:
    """Draw a list of examples: label and predictions, and below them the start of the text."""
    width = sheet_width(columns)
    lines: list[tuple[float, float, str]] = []
    for position, number in enumerate(numbers):
        label, before, after = _predictions(comparison, number, palette)
        top = position * ENTRY_PX
        lines.append((0, top + 12, f"{label}: {before} → {after}"))
        start = _excerpt(examples[number], number, int(width / LETTER))
        lines += [(0, top + 30 + 17 * row, escape_text(text)) for row, text in enumerate(start)]
    lines = lines or [(0, ENTRY_PX / 2, _("There are none."))]
    height = max(1, len(numbers)) * ENTRY_PX
    return sheet(palette, title, [text_trace(lines, palette)], (width, height), [])


def _excerpt(example: Any, number: int, letters: int) -> list[str]:
    """Return the first two lines of a text or row, or the number of an example without words."""
    if example is None:
        return [_("example {number}, counted from 0").format(number=formatting.count(number))]
    text = example if isinstance(example, str) else detokenize(example)
    return wrap(text, letters, max_lines=2, placeholder=" …")


def _predictions(comparison: Comparison, number: int, palette: Palette) -> tuple[str, str, str]:
    label = int(comparison.labels[number])
    before, after = (
        mark_prediction(_(comparison.name(predicted)), right=predicted == label, palette=palette)
        for predicted in (int(comparison.before[number]), int(comparison.after[number]))
    )
    return f'<b style="color:{palette.ink}">{_(comparison.classes[label])}</b>', before, after


def _note(
    comparison: Comparison, number: int, x: float, y: float, palette: Palette
) -> dict[str, Any]:
    label, before, after = _predictions(comparison, number, palette)
    return _text(f"{label}<br>{before}<br>→ {after}", x=x, y=y, yanchor="top")


def _empty_note() -> dict[str, Any]:
    return _text(_("There are none."), x=0.5, y=0.5, xref="paper", yref="paper")


def _text(text: str, **place: Any) -> dict[str, Any]:
    return {"text": text, "showarrow": False, "align": "center", "font": {"size": 13}, **place}
