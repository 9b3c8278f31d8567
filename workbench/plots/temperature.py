"""What a student reaches at each temperature, beside labels alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import isfinite, log10
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend

if TYPE_CHECKING:
    from workbench.experiments.sweep import Level

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
"""A second cue beside colour for the weights of the teacher."""
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
LEAST_HEIGHT = 0.02
"""Between the ends of the axis at least, so that noise does not look large.

As a share, or of the largest figure where that is none.
"""


def draw(
    levels: Sequence[Level],
    palette: Palette = LIGHT,
    *,
    teacher: float | None = None,
    metric: Metric = ACCURACY,
) -> Figure:
    """Draw the students' figures against the temperature, a line for each weight of the teacher.

    Parameters
    ----------
    levels
        By mixing weight and temperature; those of weight 0 learned from the labels alone and are
        drawn as a band. Levels that wait for their first student only widen the axis.
    teacher
        The teacher's own figure, a line above.
    metric
        What the figures are; better is higher.
    """
    plain, taught = _plain(levels), [level for level in levels if level.mix]
    done = [level for level in taught if _is_number(level)]
    lines = groupby(sorted(done, key=lambda level: (level.mix, level.temperature)), _mix)
    mixes = sorted({level.mix for level in taught})
    return {
        "data": [_line(mixes.index(mix), list(group), palette, metric) for mix, group in lines],
        "layout": layout(
            palette,
            _finding(plain, done, metric),
            showlegend=len(mixes) > 1,
            legend=legend(),
            margin={"l": 72, "r": 24, "t": 72, "b": 48},
            xaxis=axis(
                palette,
                _("temperature"),
                type="log",
                range=_temperature_range(taught),
                tickvals=list(TICKS),
                ticktext=[f"{tick:g}" for tick in TICKS],
            ),
            yaxis=axis(
                palette,
                _("validation {metric}").format(metric=_(metric.name)),
                range=_range([*done, *([plain] if plain else [])], teacher, metric),
                tickformat=".1%" if metric.share else "",
                nticks=6,
            ),
            shapes=_band(plain, palette) + _mark(teacher, palette.muted, "dot"),
            annotations=_words(plain, teacher, palette),
        ),
    }


def rows(levels: Sequence[Level], metric: Metric = ACCURACY) -> list[dict[str, Any]]:
    """Return the picture's data as a table, in which the figures are called by the metric."""
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


def _plain(levels: Sequence[Level]) -> Level | None:
    """Return the students of labels alone, once one of them is done."""
    return next((level for level in levels if not level.mix and _is_number(level)), None)


def _is_number(level: Level) -> bool:
    return level.mean is not None and isfinite(level.mean)


def _line(number: int, levels: Sequence[Level], palette: Palette, metric: Metric) -> dict[str, Any]:
    colour = palette.categories[number % len(palette.categories)]
    name = _("weight of the teacher {mix}").format(mix=formatting.percent(levels[0].mix, 0))
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [level.temperature for level in levels],
        "y": [level.mean for level in levels],
        "error_y": {
            "type": "data",
            "array": [_apart(level) for level in levels],
            "color": colour,
            "thickness": 1.5,
            "width": 4,
        },
        "customdata": [f"{name}<br>{_told(level, metric)}" for level in levels],
        "hovertemplate": "%{customdata}<extra></extra>",
        "line": {"color": colour, "width": 2},
        "marker": {"color": colour, "size": 9, "symbol": SYMBOLS[number % len(SYMBOLS)]},
    }


def _told(level: Level, metric: Metric) -> str:
    assert level.mean is not None
    temperature, figure = f"{level.temperature:g}", metric.format(level.mean)
    if len(level.values) == 1:
        return _("temperature {t}: <b>{figure}</b>").format(t=temperature, figure=figure)
    apart = _apart(level)
    return _("temperature {t}: <b>{figure}</b>, spread {spread} over {count} seeds").format(
        t=temperature,
        figure=figure,
        spread=formatting.percent(apart, 2) if metric.share else metric.format(apart),
        count=len(level.values),
    )


def _apart(level: Level) -> float:
    return level.spread or 0.0


def _temperature_range(levels: Sequence[Level]) -> list[float]:
    found = [level.temperature for level in levels] or [1.0, 10.0]
    return [log10(min(found)) - 0.1, log10(max(found)) + 0.1]


def _range(levels: Sequence[Level], teacher: float | None, metric: Metric) -> list[float]:
    ends = [
        level.mean + sign * _apart(level)
        for level in levels
        if level.mean is not None
        for sign in (-1, 1)
    ]
    ends += [] if teacher is None else [teacher]
    if not ends:
        return [0.0, 1.0]
    low, high = min(ends), max(ends)
    least = LEAST_HEIGHT * (1.0 if metric.share else max(abs(low), abs(high)) or 1.0)
    margin = max(0.08 * (high - low), (least - (high - low)) / 2)
    ends = [low - margin, high + margin]
    return ends if metric.higher_is_better else ends[::-1]


def _band(plain: Level | None, palette: Palette) -> list[dict[str, Any]]:
    if plain is None or plain.mean is None:
        return []
    band = {
        "type": "rect",
        "layer": "below",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": plain.mean - _apart(plain),
        "y1": plain.mean + _apart(plain),
        "fillcolor": palette.shade,
        "line": {"width": 0},
    }
    return [band, *_mark(plain.mean, palette.past, "solid")]


def _mark(height: float | None, colour: str, dash: str) -> list[dict[str, Any]]:
    if height is None:
        return []
    line = {"color": colour, "width": 1.5, "dash": dash}
    ends = {"xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height}
    return [{"type": "line", "layer": "below", "line": line, **ends}]


def _words(plain: Level | None, teacher: float | None, palette: Palette) -> list[dict[str, Any]]:
    named = [
        (plain.mean if plain else None, _("labels alone"), "bottom"),
        (teacher, _("the teacher"), "top"),
    ]
    return [
        {
            "text": text,
            "showarrow": False,
            "xref": "paper",
            "x": 1,
            "xanchor": "right",
            "y": height,
            "yanchor": anchor,
            "font": {"size": 12, "color": palette.muted},
        }
        for height, text, anchor in named
        if height is not None
    ]


def _finding(plain: Level | None, done: Sequence[Level], metric: Metric) -> str:
    if plain is None or plain.mean is None or not done:
        return _("The students are learning: which temperature serves them best?")
    best = max(done, key=lambda level: metric.sort_key(level.mean))
    gain = metric.sort_key(best.mean) - metric.sort_key(plain.mean)
    if gain <= 0:
        return _("No temperature does better than labels alone")
    if gain <= max(_apart(best), _apart(plain)):
        return _("No temperature gains more over labels alone than seeds differ")
    return _("Temperature {t} gains {gain} over labels alone").format(
        t=f"{best.temperature:g}", gain=metric.change(gain).lstrip("+")
    )
