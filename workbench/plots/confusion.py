"""Which classes are taken for which: before, after, and the difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import LIGHT, OKABE_ITO, Palette
from workbench.plots.style import Figure, axis, layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAP = 0.03
SIDE = 260
"""Height of one matrix where they stand side by side, in px."""


def draw(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    classes: Sequence[str],
    palette: Palette = LIGHT,
    *,
    stacked: bool = False,
) -> Figure:
    """Draw two confusion matrices, int64 [classes, classes], true by predicted, and after − before.

    Counts are coloured by their root, so that the few wrong ones show beside the many right ones.
    `stacked` sets the three below one another, for a narrow page.
    """
    names = [_(name) for name in classes]
    change = after - before
    largest = float(np.sqrt(max(before.max(initial=1), after.max(initial=1))))
    widest = float(np.sqrt(max(int(np.abs(change).max(initial=0)), 1)))
    blue, orange = OKABE_ITO[:2]  # in the dark theme too: counts are written on them
    few_to_many = [[0, palette.panel], [1, blue]]
    fewer_to_more = [[0, blue], [0.5, palette.panel], [1, orange]]
    data = [
        _matrix(1, np.sqrt(before), before, names, few_to_many, (0, largest), str),
        _matrix(2, np.sqrt(after), after, names, few_to_many, (0, largest), str),
        _matrix(
            3,
            np.sign(change) * np.sqrt(np.abs(change)),
            change,
            names,
            fewer_to_more,
            (-widest, widest),
            _signed,
        ),
    ]
    titles = (_("before"), _("after"), _("difference: after − before"))
    axes: dict[str, Any] = {}
    notes = []
    for place, title in enumerate(titles):
        across, down = _domains(place, stacked=stacked)
        number = "" if not place else place + 1
        axes[f"xaxis{number}"] = {
            **axis(palette, _("predicted") if stacked or place == 1 else "", showgrid=False),
            "domain": across,
            "anchor": f"y{number}",
            "tickangle": -45,
            "tickfont": {"size": 10},
            "ticks": "",
        }
        axes[f"yaxis{number}"] = {
            **axis(palette, _("label") if stacked or not place else "", showgrid=False),
            "domain": down,
            "anchor": f"x{number}",
            "autorange": "reversed",
            "tickfont": {"size": 10},
            "ticks": "",
            "showticklabels": stacked or not place,
        }
        notes.append(
            {
                "text": f"<b>{title}</b>",
                "x": across[0],
                "y": down[1],
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 12},
            }
        )
    return {
        "data": data,
        "layout": layout(
            palette,
            summary(change, names),
            height=3 * (SIDE + 96) if stacked else SIDE + 156,
            margin={"l": 92, "r": 16, "t": 72, "b": 84},
            annotations=notes,
            **axes,
        ),
    }


def summary(change: NDArray[np.int64], names: Sequence[str]) -> str:
    """Return which confusion grew most, in a sentence; `change` is after less before."""
    grown = change - np.diag(np.diag(change))
    if not grown.any():
        return _("The matrix is as it was")
    if grown.max() > 0:
        label, seen = divmod(int(grown.argmax()), len(names))
        text = _("What grew most: {label} taken for {seen}, {count} more")
        count = int(grown.max())
    else:
        label, seen = divmod(int(grown.argmin()), len(names))
        text = _("What shrank most: {label} taken for {seen}, {count} fewer")
        count = -int(grown.min())
    return text.format(label=names[label], seen=names[seen], count=formatting.count(count))


def rows(
    before: NDArray[np.int64], after: NDArray[np.int64], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the picture's data as a table: a row for each pair of label and prediction."""
    return [
        {
            "label": label,
            "predicted": predicted,
            "before": int(before[i, j]),
            "after": int(after[i, j]),
            "difference": int(after[i, j] - before[i, j]),
        }
        for i, label in enumerate(classes)
        for j, predicted in enumerate(classes)
    ]


def _matrix(
    number: int,
    shades: NDArray[Any],
    counts: NDArray[np.int64],
    names: Sequence[str],
    colours: list[list[Any]],
    reach: tuple[float, float],
    write: Any,
) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "x": list(names),
        "y": list(names),
        "z": np.round(shades, 3).tolist(),
        "text": [[write(int(v)) if v else "" for v in line] for line in counts],
        "texttemplate": "%{text}",
        "textfont": {"size": 10},
        "customdata": counts.tolist(),
        "hovertemplate": _("%{y} taken for %{x}") + ": <b>%{customdata}</b><extra></extra>",
        "colorscale": colours,
        "zmin": reach[0],
        "zmax": reach[1],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "xaxis": "x" if number == 1 else f"x{number}",
        "yaxis": "y" if number == 1 else f"y{number}",
    }


def _domains(place: int, *, stacked: bool) -> tuple[list[float], list[float]]:
    if stacked:
        deep = (1 - 2 * 0.11) / 3
        top = 1 - place * (deep + 0.11)
        return [0, 1], [max(0.0, top - deep), top]
    wide = (1 - 2 * GAP) / 3
    return [place * (wide + GAP), min(1.0, place * (wide + GAP) + wide)], [0, 1]


def _signed(value: int) -> str:
    return f"{'+' if value > 0 else formatting.MINUS}{abs(value)}"
