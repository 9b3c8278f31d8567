"""Accuracy over the time per example, for each runtime and size of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _, plural
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend

if TYPE_CHECKING:
    from workbench.deploy.timing import Benchmark, Timing
    from workbench.domain.metric import Metric

Scores = Mapping[tuple[str, str], tuple[str, float]]
"""The display name and the metric by runtime and precision."""
SYMBOLS = ("circle", "diamond", "square", "cross")
SPAN = 0.02
"""The least height of the axis: runtimes that agree shall look alike."""


def draw(result: Benchmark, scores: Scores, metric: Metric, *, palette: Palette = LIGHT) -> Figure:
    """Draw a point for each runtime and size of a batch."""
    values = [value for _name, value in scores.values()]
    middle, reach = (min(values) + max(values)) / 2, max(max(values) - min(values), SPAN)
    batches = sorted({timing.batch for timing in result.timings})
    y_axis = axis(palette, _(metric.name), range=[middle - reach, middle + reach])
    if metric.is_fraction:
        y_axis["tickformat"] = ".1%"
    return {
        "data": [
            _points(result, batch, number, scores, metric, palette)
            for number, batch in enumerate(batches)
        ],
        "layout": layout(
            palette,
            _title(result),
            height=360,
            showlegend=True,
            legend=legend(),
            hovermode="closest",
            margin={"l": 76, "r": 24, "t": 76, "b": 56},
            xaxis=axis(palette, _("milliseconds per example"), type="log"),
            yaxis=y_axis,
        ),
    }


def _title(result: Benchmark) -> str:
    if result.busy:
        return _("The machine was busy: the order is sure, ratios are not")
    return _("Accuracy and time of each runtime")


def _points(
    result: Benchmark,
    batch: int,
    number: int,
    scores: Scores,
    metric: Metric,
    palette: Palette,
) -> dict[str, Any]:
    timings = [
        timing
        for timing in result.timings
        if timing.batch == batch and (timing.runtime, timing.precision) in scores
    ]
    places = [scores[timing.runtime, timing.precision] for timing in timings]
    above = number % 2 == 0
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": plural("{count} example per call", "{count} examples per call", batch).format(
            count=batch
        ),
        "x": [timing.minimum / batch for timing in timings],
        "y": [value for _name, value in places],
        "text": [name for name, _value in places],
        "textposition": ["top center" if above else "bottom center"] * len(timings),
        "textfont": {"size": 13, "color": palette.ink},
        "cliponaxis": False,
        "hovertext": [
            f"{name}<br>{metric.format(value)}<br>{_hover(timing)}"
            for timing, (name, value) in zip(timings, places, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "color": palette.categories[number],
            "symbol": SYMBOLS[number % len(SYMBOLS)],
            "size": 12,
        },
    }


def _hover(timing: Timing) -> str:
    return _("{time} per call of {batch}").format(
        time=formatting.milliseconds(timing.minimum), batch=timing.batch
    )
