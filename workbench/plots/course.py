"""Loss and metric of the batches during one training run."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _
from workbench.plots.palette import Palette
from workbench.plots.style import Figure, axis, layout, legend

MAX_SHOWN = 400
SMOOTH = 0.9
"""Decay of the exponential moving average over batches."""


def draw(
    course: Sequence[tuple[int, float, float]],
    steps: int,
    palette: Palette,
    metric: Metric = ACCURACY,
) -> Figure:
    """Draw the loss and the metric of batches.

    Parameters
    ----------
    course
        (step, loss, metric value) of batches. If the metric is undefined for a batch, its values
        are NaN and only the loss is drawn.
    steps
        The last step, where the axis ends.
    palette
        The colors.
    metric
        The metric of the values.
    """
    shown = course[:: max(1, len(course) // MAX_SHOWN)]
    at = [step for step, _loss, _value in shown]
    loss = _smoothed([loss for _step, loss, _value in shown])
    value = _smoothed([value for _step, _loss, value in shown])
    first, second = palette.categories[:2]
    lines = [_line(_("loss"), at, loss, second, "dash", "y2")]
    has_values = all(map(isfinite, value))
    if has_values:
        name = _("batch {metric}").format(metric=_(metric.name))
        lines.insert(0, _line(name, at, value, first, "solid", "y"))
    return {
        "data": lines,
        "layout": layout(
            palette,
            _summary(course, steps, value if has_values else [], loss, metric),
            showlegend=True,
            legend=legend(),
            margin={"l": 60, "r": 60, "t": 72, "b": 48},
            xaxis=axis(palette, _("step"), range=[0, max(1, steps)]),
            yaxis={
                **axis(palette, _(metric.name), **_scale(metric)),
                "visible": has_values,
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
    name: str, x: list[int], y: list[float], color: str, dash: str, side: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "yaxis": side,
        "line": {"color": color, "dash": dash, "width": 2},
    }


def _smoothed(values: Sequence[float]) -> list[float]:
    mean, out = 0.0, []
    for number, value in enumerate(values, 1):
        mean = SMOOTH * mean + (1 - SMOOTH) * value
        out.append(mean / (1 - SMOOTH**number))
    return out


def _summary(
    course: Sequence[tuple[int, float, float]],
    steps: int,
    value: Sequence[float],
    loss: Sequence[float],
    metric: Metric,
) -> str:
    if not course:
        return _("Training starts")
    step = course[-1][0]
    fields = {"step": formatting.count(step), "steps": formatting.count(steps)}
    if value:
        fields |= {"metric": _(metric.name), "value": metric.format(value[-1])}
        if step < steps:
            text = _("Batch {metric} after {step} of {steps} steps: {value}")
        else:
            text = _("Batch {metric} after {steps} steps: {value}")
    else:
        fields["value"] = formatting.number(loss[-1])
        if step < steps:
            text = _("Loss after {step} of {steps} steps: {value}")
        else:
            text = _("Loss after {steps} steps: {value}")
    return text.format(**fields)
