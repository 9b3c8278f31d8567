"""The trials of a study that weighs latency or energy: the metric by each cost."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import TYPE_CHECKING, Any

from workbench.i18n import _
from workbench.plots import scales
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, log_axis
from workbench.recipe.description import describe

if TYPE_CHECKING:
    from workbench.study.result import StudyResult
    from workbench.study.trial import Trial

GAP = 0.06
"""Between two panels, as a share of the width."""
MARGIN = 0.08
"""How far an axis extends beyond the smallest and the largest cost, as an exponent of ten."""


def draw(result: StudyResult, trials: Sequence[Trial], palette: Palette = LIGHT) -> Figure:
    """Draw a panel for each cost, with the same trials; those of the front have the accent color.

    Parameters
    ----------
    result, palette
        The study, and the colors.
    trials
        Exact trials to draw; those without a cost are left out.
    """
    names, on_front = result.study.objectives, set(map(id, result.front))
    timed = [trial for trial in trials if trial.amounts(names)]
    timed.sort(key=lambda trial: id(trial) in on_front)  # drawn last, on top of others
    up = scales.Axis.over(result.metric, [trial.value or 0.0 for trial in timed])
    ticks, labels = up.ticks
    axes: dict[str, Any] = {
        "yaxis": axis(
            palette,
            _("{metric} on validation").format(metric=result.metric.label),
            range=list(up.range),
            tickvals=ticks,
            ticktext=labels,
        )
    }
    data = []
    width = (1 - GAP * (len(names) - 1)) / len(names)
    for number, name in enumerate(names):
        suffix, start = str(number + 1) if number else "", number * (width + GAP)
        amounts = [trial.amounts([name])[0] for trial in timed]
        domain = {"domain": [start, min(1.0, start + width)], "anchor": "y"}
        axes[f"xaxis{suffix}"] = {**_axis(name, amounts, palette), **domain}
        data.append(
            {**_points(result, timed, amounts, up, palette), "xaxis": f"x{suffix}", "yaxis": "y"}
        )
    title = _("The recipes that were measured exactly, those of the front in the stronger color")
    return {"data": data, "layout": layout(palette, title, **axes)}


def _axis(name: str, amounts: Sequence[float], palette: Palette) -> dict[str, Any]:
    from workbench.study.objectives import OBJECTIVES  # studies load torch

    powers = [log10(amount) for amount in amounts] or [0.0]
    ends = [min(powers) - MARGIN, max(powers) + MARGIN]
    title = _(OBJECTIVES[name].title)
    if name != "bytes":
        return log_axis(palette, title, range=ends)
    places, texts = scales.size_ticks(*ends)
    return axis(palette, title, type="log", range=ends, tickvals=places, ticktext=texts)


def _points(
    result: StudyResult,
    trials: Sequence[Trial],
    amounts: Sequence[float],
    up: scales.Axis,
    palette: Palette,
) -> dict[str, Any]:
    on_front = set(map(id, result.front))
    shown = [id(trial) in on_front for trial in trials]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(amounts),
        "y": [up.height(trial.value or 0.0) for trial in trials],
        "text": [f"{figures(result, trial)}<br>{describe(trial.recipe)}" for trial in trials],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": [11 if front else 8 for front in shown],
            "symbol": ["diamond" if front else "circle" for front in shown],
            "color": [palette.accent if front else palette.past for front in shown],
            "line": {"color": palette.panel, "width": 1},
        },
    }


def figures(result: StudyResult, trial: Trial) -> str:
    """Return the costs and the metric of a trial: ``7,432 bytes, 0.12 ms, 89.9 %``."""
    from workbench.study.objectives import OBJECTIVES  # studies load torch

    names = result.study.objectives
    costs = [
        OBJECTIVES[name].text(amount)
        for name, amount in zip(names, trial.amounts(names), strict=False)
    ]
    return ", ".join([*costs, result.metric.format(trial.value or 0.0)])
