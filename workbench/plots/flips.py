"""The examples that compression made the network see otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import figures
from workbench.plots.marks import marked
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, layout
from workbench.text import _, plural
from workbench.text import mark as N_

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.evaluation.changes import Changes

KINDS = {
    "lost": N_("went wrong"),
    "won": N_("became right"),
    "moved": N_("wrong in another way"),
}
"""The ways in which a prediction changes: names of properties of `Changes`, and their words."""
ROWS = 2
SIDE = 28 + 6
"""Width of a tile in pixels of an image, the gap included."""
DEEP = 28 + 21
"""Height of a tile, with room for three lines of text."""
TILE = 144
"""Height of a tile on the screen, in px."""


def draw(
    changes: Changes,
    images: NDArray[np.uint8],
    palette: Palette = LIGHT,
    *,
    kind: str = "lost",
    first: int = 0,
    columns: int = 8,
    rows: int = ROWS,
) -> Figure:
    """Draw images whose prediction changed: the label, and below it what it was taken for.

    Parameters
    ----------
    changes
    images : uint8 array [n, h, w], in colour [n, h, w, 3]
        Those of the split.
    kind
        A key of `KINDS`.
    first
        How many of that kind to pass over.
    columns, rows
        How many images to show at most.
    """
    numbers = getattr(changes, kind)[first : first + columns * rows]
    tall = max(1, -(-len(numbers) // columns))
    tiles, notes = [], []
    for place, number in enumerate(numbers.tolist()):
        row, column = divmod(place, columns)
        top, left = row * DEEP, column * SIDE + (SIDE - 28) // 2
        tiles.append(_tile(images[number], left, top))
        notes.append(_note(changes, number, left + 13.5, top + 28, palette))
    hidden = {"visible": False, "fixedrange": True}
    return {
        "data": tiles,
        "layout": layout(
            palette,
            finding(changes),
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
                "cmin": 0,
                "cmax": 255,
                "showscale": False,
            },
            annotations=notes or [_nothing()],
        ),
    }


def tile_at(x: float, y: float, columns: int) -> int:
    """Return the number of the tile that a point of the picture lies in, row by row."""
    return int(y // DEEP) * columns + int(x // SIDE)


def finding(changes: Changes) -> str:
    """Return what has changed, in a sentence."""
    lost, won = len(changes.lost), len(changes.won)
    if not len(changes.flipped):
        return _("No prediction changed")
    went = plural("{count} image went wrong", "{count} images went wrong", lost)
    said = went.format(count=figures.count(lost))
    if lost:
        worst = int(np.bincount(changes.labels[changes.lost]).argmax())
        said = _("{said}, mostly {name}").format(said=said, name=_(changes.classes[worst]))
    return _("{said}; {count} became right").format(said=said, count=figures.count(won))


def rows(changes: Changes) -> list[dict[str, Any]]:
    """Return the picture's data as a table: every example whose prediction changed."""
    return changes.rows()


def _tile(image: NDArray[np.uint8], left: int, top: int) -> dict[str, Any]:
    place = {"x0": left, "dx": 1, "y0": top, "dy": 1, "hoverinfo": "none"}
    if image.ndim == 3:
        return {"type": "image", "z": image.tolist(), **place}
    return {"type": "heatmap", "z": image.tolist(), "coloraxis": "coloraxis", **place}


def _note(changes: Changes, number: int, x: float, y: float, palette: Palette) -> dict[str, Any]:
    label = int(changes.labels[number])
    before, after = (
        marked(_(changes.classes[seen]), right=seen == label, palette=palette)
        for seen in (int(changes.before[number]), int(changes.after[number]))
    )
    name = f'<b style="color:{palette.ink}">{_(changes.classes[label])}</b>'
    return _text(f"{name}<br>{before}<br>→ {after}", x=x, y=y, yanchor="top")


def _nothing() -> dict[str, Any]:
    return _text(_("There is no such image."), x=0.5, y=0.5, xref="paper", yref="paper")


def _text(text: str, **place: Any) -> dict[str, Any]:
    return {"text": text, "showarrow": False, "align": "center", "font": {"size": 11}, **place}


def shown(changes: Changes, kind: str, first: int, columns: int) -> Sequence[int]:
    """Return the numbers of the examples that `draw` shows."""
    found: Sequence[int] = getattr(changes, kind)[first : first + columns * ROWS].tolist()
    return found
