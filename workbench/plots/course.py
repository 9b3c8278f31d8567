"""The course of one training run: loss and figure of the batches, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _
from workbench.plots.palette import Palette
from workbench.plots.style import Figure, axis, layout, legend

MOST_SHOWN = 400
SMOOTH = 0.9
"""How much of the running mean each batch leaves standing."""


def draw(
    course: Sequence[tuple[int, float, float]],
    steps: int,
    palette: Palette,
    metric: Metric = ACCURACY,
) -> Figure:
    """Draw (step, loss, figure of `metric`) of batches; `steps` is where the axis ends.

    A metric that means nothing for a batch is NaN throughout, and the loss is drawn alone.
    """
    shown = course[:: max(1, len(course) // MOST_SHOWN)]
    at = [step for step, _loss, _share in shown]
    loss = _smoothed([loss for _step, loss, _share in shown])
    value = _smoothed([value for _step, _loss, value in shown])
    first, second = palette.categories[:2]
    lines = [_line(_("loss"), at, loss, second, "dash", "y2")]
    counted = all(map(isfinite, value))
    if counted:
        name = _("{metric} of the batches").format(metric=_(metric.name))
        lines.insert(0, _line(name, at, value, first, "solid", "y"))
    return {
        "data": lines,
        "layout": layout(
            palette,
            _finding(course, steps, value if counted else [], loss, metric),
            showlegend=True,
            legend=legend(),
            margin={"l": 60, "r": 60, "t": 72, "b": 48},
            xaxis=axis(palette, _("step"), range=[0, max(1, steps)]),
            yaxis={
                **axis(palette, _(metric.name), **_scale(metric)),
                "visible": counted,
            },
            yaxis2={
                **axis(palette, _("loss"), rangemode="tozero", automargin=True),
                "overlaying": "y",
                "side": "right",
                "showgrid": False,
            },
        ),
    }


def _scale(metric: Metric) -> dict[str, Any]:
    if metric.share:
        return {"range": [0, 1], "tickformat": ".0%"}
    return {"rangemode": "tozero", "automargin": True}


def _line(
    name: str, x: list[int], y: list[float], colour: str, dash: str, side: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "yaxis": side,
        "line": {"color": colour, "dash": dash, "width": 2},
    }


def _smoothed(values: Sequence[float]) -> list[float]:
    mean, out = 0.0, []
    for number, value in enumerate(values, 1):
        mean = SMOOTH * mean + (1 - SMOOTH) * value
        out.append(mean / (1 - SMOOTH**number))
    return out


def _finding(
    course: Sequence[tuple[int, float, float]],
    steps: int,
    value: Sequence[float],
    loss: Sequence[float],
    metric: Metric,
) -> str:
    if not course:
        return _("Training begins")
    done = course[-1][0]
    words = {"done": formatting.count(done), "steps": formatting.count(steps)}
    if not value:
        if done < steps:
            said = _("After {done} of {steps} steps the loss is {loss}")
        else:
            said = _("{steps} steps brought the loss to {loss}")
        return said.format(**words, loss=formatting.number(loss[-1]))
    words["reached"] = metric.format(value[-1])
    if done < steps and metric.counts == "classes":
        return _("After {done} of {steps} steps the batches are {reached} right").format(**words)
    if done < steps:
        return _("After {done} of {steps} steps the batches are at {reached}").format(**words)
    return _("{steps} steps brought the batches to {reached}").format(**words)
