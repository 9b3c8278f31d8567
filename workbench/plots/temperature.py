"""Student results at each distillation temperature, compared with labels alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite, log10, sqrt
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.plots.ticks import percent_ticks

if TYPE_CHECKING:
    from workbench.experiments.sweep import Level

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
"""The symbols of the teacher weights, in addition to color."""
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
LABELS_WIDTH = 64
"""Room for the names of lines next to the plot, in px."""
NORMAL_95 = 1.959963984540054
MIN_HEIGHT = 0.02
"""Minimum length of the axis, so that noise does not look large.

An absolute value for fractions, relative to the largest value for other metrics.
"""


def draw(
    levels: Sequence[Level],
    palette: Palette = LIGHT,
    *,
    teacher: float | None = None,
    metric: Metric = ACCURACY,
    examples: int | None = None,
) -> Figure:
    """Draw the students' metric by temperature, with a line for each weight of the teacher.

    Parameters
    ----------
    levels
        Results by mixing weight and temperature. Weight 0 is training on labels alone, drawn as a
        band. Levels without a finished student only extend the axis.
    palette
        The colors.
    teacher
        The teacher's own value, drawn as a line.
    metric
        The metric of the values; the axis points towards better ones.
    examples
        The number of examples that each value is of. Error bars then are at least as long as the
        95 % interval of a fraction of that many examples.
    """
    margin = _Margin(metric, examples)
    baseline, distilled = _baseline(levels), [level for level in levels if level.mix]
    finished = [level for level in distilled if _is_finite(level)]
    lines = groupby(sorted(finished, key=lambda level: (level.mix, level.temperature)), _mix)
    mixes = sorted({level.mix for level in distilled})
    ends = _range([*finished, *([baseline] if baseline else [])], teacher, margin)
    return {
        "data": [_line(mixes.index(mix), list(group), palette, margin) for mix, group in lines],
        "layout": layout(
            palette,
            _title(baseline, finished, margin, levels),
            showlegend=len(mixes) > 1,
            legend=legend(),
            margin={"l": 72, "r": LABELS_WIDTH, "t": 72, "b": 48},
            xaxis=axis(
                palette,
                _("temperature"),
                type="log",
                range=_temperature_range(distilled),
                tickvals=list(TICKS),
                ticktext=[f"{tick:g}" for tick in TICKS],
            ),
            yaxis=axis(
                palette,
                _("validation {metric}").format(metric=metric.label),
                range=ends,
                nticks=6,
                **(percent_ticks(ends[0], ends[1]) if metric.is_fraction else {}),
            ),
            shapes=_band(baseline, margin, palette)
            + _horizontal_line(teacher, palette.muted, "dot"),
            annotations=_line_labels(baseline, teacher, palette),
        ),
    }


@dataclass(frozen=True)
class _Margin:
    """Half the length of the error bar of a level."""

    metric: Metric
    examples: int | None

    def __call__(self, level: Level) -> float:
        """Return the standard deviation over seeds, or the sampling error if that is larger."""
        sampling = 0.0
        if self.metric.is_fraction and self.examples and level.mean is not None:
            share = min(1.0, max(0.0, level.mean))
            sampling = NORMAL_95 * sqrt(share * (1 - share) / self.examples)
        return max(level.spread or 0.0, sampling)

    def format(self, level: Level) -> str:
        """Format the margin with its unit."""
        text = self.metric.change(self(level))
        return text.lstrip("+±")


def rows(levels: Sequence[Level], metric: Metric = ACCURACY) -> list[dict[str, Any]]:
    """Return the figure's data as a table with a column named after the metric."""
    return [
        {
            "teacher_weight": level.mix,
            "temperature": level.temperature if level.mix else None,
            "students": len(level.values),
            metric.name: level.mean,
            "spread": level.spread,
        }
        for level in levels
    ]


def _mix(level: Level) -> float:
    return level.mix


def _baseline(levels: Sequence[Level]) -> Level | None:
    """Return the level of labels alone, once one of its students is finished."""
    return next((level for level in levels if not level.mix and _is_finite(level)), None)


def _is_finite(level: Level) -> bool:
    return level.mean is not None and isfinite(level.mean)


def _line(
    number: int, levels: Sequence[Level], palette: Palette, margin: _Margin
) -> dict[str, Any]:
    color = palette.categories[number % len(palette.categories)]
    name = _("weight of the teacher {mix}").format(mix=formatting.percent(levels[0].mix, 0))
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [level.temperature for level in levels],
        "y": [level.mean for level in levels],
        "error_y": {
            "type": "data",
            "array": [margin(level) for level in levels],
            "color": color,
            "thickness": 1.5,
            "width": 4,
        },
        "customdata": [f"{name}<br>{_hover_text(level, margin)}" for level in levels],
        "hovertemplate": "%{customdata}<extra></extra>",
        "line": {"color": color, "width": 2},
        "marker": {"color": color, "size": 9, "symbol": SYMBOLS[number % len(SYMBOLS)]},
    }


def _hover_text(level: Level, margin: _Margin) -> str:
    assert level.mean is not None
    temperature, figure = f"{level.temperature:g}", margin.metric.format(level.mean)
    if not margin(level):
        return _("temperature {t}: <b>{figure}</b>").format(t=temperature, figure=figure)
    return _("temperature {t}: <b>{figure}</b> ± {margin}, mean of {count} seeds").format(
        t=temperature, figure=figure, margin=margin.format(level), count=len(level.values)
    )


def _temperature_range(levels: Sequence[Level]) -> list[float]:
    temperatures = [level.temperature for level in levels] or [1.0, 10.0]
    return [log10(min(temperatures)) - 0.1, log10(max(temperatures)) + 0.1]


def _range(levels: Sequence[Level], teacher: float | None, margin: _Margin) -> list[float]:
    metric = margin.metric
    ends = [
        level.mean + sign * margin(level)
        for level in levels
        if level.mean is not None
        for sign in (-1, 1)
    ]
    ends += [] if teacher is None else [teacher]
    if not ends:
        return [0.0, 1.0]
    low, high = min(ends), max(ends)
    minimum = MIN_HEIGHT * (1.0 if metric.is_fraction else max(abs(low), abs(high)) or 1.0)
    space = max(0.08 * (high - low), (minimum - (high - low)) / 2)
    ends = [low - space, high + space]
    return ends if metric.higher_is_better else ends[::-1]


def _band(baseline: Level | None, margin: _Margin, palette: Palette) -> list[dict[str, Any]]:
    if baseline is None or baseline.mean is None:
        return []
    band = {
        "type": "rect",
        "layer": "below",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": baseline.mean - margin(baseline),
        "y1": baseline.mean + margin(baseline),
        "fillcolor": palette.shade,
        "line": {"width": 0},
    }
    return [band, *_horizontal_line(baseline.mean, palette.past, "solid")]


def _horizontal_line(height: float | None, color: str, dash: str) -> list[dict[str, Any]]:
    if height is None:
        return []
    line = {"color": color, "width": 1.5, "dash": dash}
    ends = {"xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height}
    return [{"type": "line", "layer": "below", "line": line, **ends}]


def _line_labels(
    baseline: Level | None, teacher: float | None, palette: Palette
) -> list[dict[str, Any]]:
    """Return the names of the lines, next to the plot: inside, points and error bars cover them."""
    lines = [(baseline.mean if baseline else None, _("labels alone")), (teacher, _("the teacher"))]
    known = sorted((height, text) for height, text in lines if height is not None)
    anchors = ("middle",) if len(known) == 1 else ("top", "bottom")  # the higher one goes up
    return [
        {
            "text": text.replace(" ", "<br>"),
            "align": "left",
            "showarrow": False,
            "xref": "paper",
            "x": 1,
            "xanchor": "left",
            "y": height,
            "yanchor": anchor,
            "font": {"size": 13, "color": palette.muted},
        }
        for (height, text), anchor in zip(known, anchors, strict=False)
    ]


def _title(
    baseline: Level | None, finished: Sequence[Level], margin: _Margin, levels: Sequence[Level]
) -> str:
    """Return the result, which students that are not finished may still change."""
    if baseline is None or baseline.mean is None or not finished:
        return _("No result yet")
    summary = _summary(baseline.mean, margin(baseline), finished, margin)
    if all(level.mean is not None for level in levels):
        return summary
    return _("So far: {summary}").format(summary=summary)


def _summary(alone: float, alone_margin: float, finished: Sequence[Level], margin: _Margin) -> str:
    """Return the result. It claims a gain only if the error bars do not overlap."""
    metric = margin.metric
    best = max(finished, key=lambda level: metric.sort_key(level.mean))
    gain = metric.sort_key(best.mean) - metric.sort_key(alone)
    shown = metric.difference(best.mean or 0.0, alone)
    if gain <= 0:
        return _("No temperature improves on labels alone")
    if gain <= margin(best) + alone_margin:
        return _("No temperature improves on labels alone by more than the error bars")
    return _("Temperature {t} gains {gain} over labels alone").format(
        t=f"{best.temperature:g}", gain=shown.lstrip(f"+{formatting.MINUS}")
    )
