"""Accuracy over the time per example, for each runtime and size of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend, log_axis
from workbench.plots.ticks import percent_ticks

if TYPE_CHECKING:
    from workbench.deploy.timing import Benchmark, Timing
    from workbench.domain.metric import Metric

Scores = Mapping[tuple[str, str], tuple[str, float]]
"""The display name and the metric by runtime and precision."""
SYMBOLS = ("circle", "diamond", "square", "cross")
SIDES = ("top center", "bottom center")
LABEL = 0.08
"""The width of a label on a phone, as a share of the axis of times."""
MARGIN = 0.1
"""How far the time axis extends beyond the points at each end, as a share of its length."""
LEAST = 0.7
"""The minimum length of the axis without margins, as an exponent of ten: two ticks at least."""
SPAN = 0.02
"""The minimum height of the metric axis: small differences between runtimes look small."""


class _Room:
    """The places of labels that are taken, so that no two of them overlap.

    Parameters
    ----------
    width
        Of a label, as a power of ten.
    """

    def __init__(self, width: float) -> None:
        self._width = width
        self._taken: list[tuple[int, float]] = []

    def take(self, timing: Timing, number: int) -> str | None:
        """Take a free place for a label, above or below its point; return it, or None."""
        power = log10(timing.minimum / timing.batch)
        for side in (number % 2, 1 - number % 2):
            taken = (at for other, at in self._taken if other == side)
            if all(abs(power - at) > self._width for at in taken):
                self._taken.append((side, power))
                return SIDES[side]
        return None


def draw(result: Benchmark, scores: Scores, metric: Metric, *, palette: Palette = LIGHT) -> Figure:
    """Draw a point for each runtime and size of a batch."""
    values = [value for _name, value in scores.values()]
    middle, reach = (min(values) + max(values)) / 2, max(max(values) - min(values), SPAN)
    y_axis = axis(palette, metric.label, range=[middle - reach, middle + reach])
    if metric.is_fraction:
        y_axis["range"][1] = min(middle + reach, 1 + SPAN / 10)
        y_axis |= percent_ticks(*y_axis["range"])
    powers = [log10(timing.minimum / timing.batch) for timing in result.timings]
    center, span = (min(powers) + max(powers)) / 2, max(max(powers) - min(powers), LEAST)
    half = (0.5 + MARGIN) * span
    room = _Room(LABEL * span)
    return {
        "data": [
            _points(result, number, runtime, scores, metric, palette, room)
            for number, runtime in enumerate(scores)
            if any((timing.runtime, timing.precision) == runtime for timing in result.timings)
        ],
        "layout": layout(
            palette,
            _title(result),
            height=360,
            showlegend=True,
            legend=legend(),
            hovermode="closest",
            margin={"l": 76, "r": 24, "t": 76, "b": 56},
            xaxis=log_axis(
                palette,
                _("milliseconds per example, by examples per call"),
                range=[center - half, center + half],
            ),
            yaxis=y_axis,
        ),
    }


def _title(result: Benchmark) -> str:
    if result.busy:
        return _("The machine was busy: no ratio of times is certain")
    return _("Accuracy and time of each runtime")


def rows(result: Benchmark, scores: Scores) -> list[dict[str, Any]]:
    """Return one row for each runtime and size of a batch."""
    return [
        {
            "runtime": timing.runtime,
            "precision": timing.precision,
            "value": scores[timing.runtime, timing.precision][1],
            "batch": timing.batch,
            "threads": timing.threads,
            "minimum_ms": timing.minimum,
            "median_ms": timing.median,
            "p90_ms": timing.p90,
            "load_ms": timing.load,
            "file_bytes": timing.artifact_bytes,
            "package_bytes": timing.package_bytes,
            "memory_bytes": timing.resident_bytes,
            "busy": timing.busy,
        }
        for timing in result.timings
    ]


def _points(
    result: Benchmark,
    number: int,
    runtime: tuple[str, str],
    scores: Scores,
    metric: Metric,
    palette: Palette,
    room: _Room,
) -> dict[str, Any]:
    threads = result.timings[0].threads  # those of all cores are in the table
    timings = [
        t for t in result.timings if (t.runtime, t.precision, t.threads) == (*runtime, threads)
    ]
    name, value = scores[runtime]
    sides = [room.take(timing, number) for timing in timings]
    batches = [formatting.count(timing.batch) for timing in timings]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": name,
        "x": [timing.minimum / timing.batch for timing in timings],
        "y": [value] * len(timings),
        "text": [text if side else "" for text, side in zip(batches, sides, strict=True)],
        "textposition": [side or SIDES[number % 2] for side in sides],
        "customdata": [{"label": text} for text in batches],  # for pages with room for all
        "textfont": {"size": 13, "color": palette.ink},
        "cliponaxis": False,
        "hovertext": [f"{name}<br>{metric.format(value)}<br>{_hover(t)}" for t in timings],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "color": palette.categories[number % len(palette.categories)],
            "symbol": SYMBOLS[number % len(SYMBOLS)],
            "size": 12,
            "line": {"color": palette.ink, "width": 1},
        },
    }


def _hover(timing: Timing) -> str:
    return _("{time} per call of {batch}").format(
        time=formatting.milliseconds(timing.minimum), batch=timing.batch
    )
