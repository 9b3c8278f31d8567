"""Confusion matrices before and after compression, and their difference."""

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
"""Height of one matrix in px when they are side by side."""

SIZES = {0: 13, 1: 13, 2: 13, 3: 12}
"""The size of numbers by their characters, in px, so that neighbors do not touch."""
SMALLEST = 10
"""The size of longer numbers, in px."""


def draw(
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    classes: Sequence[str],
    palette: Palette = LIGHT,
    *,
    stacked: bool = False,
) -> Figure:
    """Draw two confusion matrices and their difference.

    Colors scale with the square root of the counts, so that the few errors are visible next to
    the many correct predictions.

    Parameters
    ----------
    before, after
        int64 matrices of shape [classes, classes], labels by predictions.
    classes
        The names of the classes.
    palette
        The colors.
    stacked
        Whether to stack the matrices, for a narrow page.
    """
    names = [_(name) for name in classes]
    change = after - before
    largest = float(np.sqrt(max(before.max(initial=1), after.max(initial=1))))
    limit = float(np.sqrt(max(int(np.abs(change).max(initial=0)), 1)))
    blue, orange = OKABE_ITO[:2]  # in the dark theme too, since counts are drawn on them
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
            (-limit, limit),
            _signed,
        ),
    ]
    titles = (_("before"), _("after"), _("difference: after − before"))
    axes: dict[str, Any] = {}
    notes = []
    for position, title in enumerate(titles):
        across, down = _domains(position, stacked=stacked)
        number = "" if not position else position + 1
        axes[f"xaxis{number}"] = {
            **axis(palette, _("predicted") if stacked or position == 1 else "", showgrid=False),
            "domain": across,
            "anchor": f"y{number}",
            "range": [-0.5, len(names) - 0.4],  # a number may be wider than its cell
            "tickangle": -45,
            "tickfont": {"size": 13},
            "ticks": "",
        }
        axes[f"yaxis{number}"] = {
            **axis(palette, _("label") if stacked or not position else "", showgrid=False),
            "domain": down,
            "anchor": f"x{number}",
            "autorange": "reversed",
            "tickfont": {"size": 13},
            "ticks": "",
            "showticklabels": stacked or not position,
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
                "font": {"size": 13},
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
    """Name the confusion that grew most, in one sentence; `change` is after minus before."""
    errors = change - np.diag(np.diag(change))
    if not errors.any():
        return _("The confusion matrix did not change")
    if errors.max() > 0:
        label, predicted = divmod(int(errors.argmax()), len(names))
        text = _("Largest increase: {label} predicted as {predicted}, {count} more")
    else:
        label, predicted = divmod(int(errors.argmin()), len(names))
        text = _("Largest decrease: {label} predicted as {predicted}, {count} fewer")
    count = formatting.count(abs(int(errors[label, predicted])))
    return text.format(label=names[label], predicted=names[predicted], count=count)


def rows(
    before: NDArray[np.int64], after: NDArray[np.int64], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the figure's data as a table: a row for each pair of label and prediction."""
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
    colors: list[list[Any]],
    limits: tuple[float, float],
    to_text: Any,
) -> dict[str, Any]:
    texts = [[to_text(int(v)) if v else "" for v in line] for line in counts]
    longest = max((len(text) for line in texts for text in line), default=0)
    return {
        "type": "heatmap",
        "x": list(names),
        "y": list(names),
        "z": np.round(shades, 3).tolist(),
        "text": texts,
        "texttemplate": "%{text}",
        "textfont": {"size": SIZES.get(longest, SMALLEST)},
        "customdata": counts.tolist(),
        "hovertemplate": _("%{y} predicted as %{x}") + ": <b>%{customdata}</b><extra></extra>",
        "colorscale": colors,
        "zmin": limits[0],
        "zmax": limits[1],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "xaxis": "x" if number == 1 else f"x{number}",
        "yaxis": "y" if number == 1 else f"y{number}",
    }


def _domains(position: int, *, stacked: bool) -> tuple[list[float], list[float]]:
    if stacked:
        height = (1 - 2 * 0.11) / 3
        top = 1 - position * (height + 0.11)
        return [0, 1], [max(0.0, top - height), top]
    width = (1 - 2 * GAP) / 3
    x = position * (width + GAP)
    return [x, min(1.0, x + width)], [0, 1]


def _signed(value: int) -> str:
    return f"{'+' if value > 0 else formatting.MINUS}{abs(value)}"
