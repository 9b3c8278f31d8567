"""The progress of a study: the hypervolume of its front after each recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout
from workbench.plots.ticks import percent_ticks, step_ticks

if TYPE_CHECKING:
    from workbench.study.result import StudyResult


def draw(result: StudyResult, worst: float, palette: Palette = LIGHT) -> Figure:
    """Draw the hypervolume by the number of recipes, as a share of the current one.

    `worst` is the value of the metric from which it is measured, such as that of chance.
    """
    from workbench.study.hypervolume import hypervolumes  # studies load torch

    largest = {"bytes": result.original[0]}
    areas = hypervolumes(result.trials, result.metric, largest, worst)
    final = areas[-1] if areas and areas[-1] else 1.0
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(1, len(areas) + 1)),
        "y": [area / final for area in areas],
        "line": {"color": palette.categories[0], "width": 2.5, "shape": "hv"},
        "customdata": [formatting.percent(area / final) for area in areas],
        "hovertemplate": "%{x:,}: %{customdata}<extra></extra>",
    }
    return {
        "data": [line],
        "layout": layout(
            palette,
            _summary([area / final for area in areas]),
            xaxis=axis(
                palette, _("recipes measured"), rangemode="tozero", **step_ticks(len(areas))
            ),
            yaxis=axis(
                palette,
                _("trade-off covered, relative to now"),
                range=[0, 1.05],
                **percent_ticks(0, 1),
            ),
        ),
    }


def _summary(shares: list[float]) -> str:
    if not shares:
        return _("Nothing is measured yet")
    half = shares[(len(shares) - 1) // 2]
    return _("The second half of the recipes has added {share} to the trade-off").format(
        share=formatting.percent(1 - half)
    )
