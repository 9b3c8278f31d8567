"""The shipped students of one network and teacher: accuracy by temperature and share of labels."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.plots.ticks import percent_ticks
from workbench.zoo.students import TEMPERATURES, Student, students

SYMBOLS = ("circle", "square", "diamond")
ALONE = TEMPERATURES[0] / 2
"""The place of students without a teacher on the axis of temperatures."""
SHIFT = 1.08
"""The factor between the places of two lines, so that their error bars do not overlap."""


def draw(network: str, teacher: str, palette: Palette = LIGHT) -> Figure:
    """Draw the validation accuracy of a network's students with a teacher, with 95 % intervals.

    Students without a teacher are on the left.
    """
    taught = [student for student in students(network) if student.teacher == teacher]
    shares = sorted({student.labels for student in taught}, reverse=True)
    lines = [[s for s in taught if s.labels == share] for share in shares]
    return {
        "data": [_line(number, line, palette) for number, line in enumerate(lines)],
        "layout": layout(
            palette,
            finding(taught),
            showlegend=True,
            legend=legend(),
            margin={"l": 72, "r": 24, "t": 84, "b": 48},
            xaxis=axis(
                palette,
                _("temperature of the teacher"),
                type="log",
                range=[log10(ALONE) - 0.15, log10(TEMPERATURES[-1]) + 0.1],
                tickvals=[ALONE, *TEMPERATURES],
                ticktext=[_("no teacher"), *(f"{t:g}" for t in TEMPERATURES)],
            ),
            yaxis=axis(palette, _("validation accuracy"), **percent_ticks(*_range(taught))),
        ),
    }


def finding(taught: Sequence[Student]) -> str:
    """Return what the students show about the teacher and its temperature, in one sentence."""
    few = min(student.labels for student in taught)
    line = [student for student in taught if student.labels == few]
    best = max(line, key=_value)
    worst = min(line, key=_value)
    return _(
        "With {labels} of the labels, the teacher adds {gain}; temperatures differ by {spread}"
    ).format(
        labels=formatting.percent(few, 0),
        gain=formatting.points_between(_value(best), _value(best.alone)).lstrip("+"),
        spread=formatting.points_between(_value(best), _value(worst)).lstrip("+"),
    )


def rows(network: str, teacher: str) -> list[dict[str, Any]]:
    """Return the figure's data as a table, students without a teacher included."""
    chosen = [s for s in students(network) if s.teacher in (teacher, "")]
    return [
        {
            "labels": student.labels,
            "temperature": student.temperature if student.teacher else None,
            "accuracy": student.card.value,
            "low": student.card.interval[0],
            "high": student.card.interval[1],
            "bytes": student.card.bytes,
        }
        for student in sorted(chosen, key=lambda s: (-s.labels, s.teacher != "", s.temperature))
    ]


def _range(taught: Sequence[Student]) -> tuple[float, float]:
    """Return the ends of all intervals."""
    ends = [student.card.interval for student in (*taught, *(s.alone for s in taught))]
    return min(low for low, _high in ends), max(high for _low, high in ends)


def _line(number: int, taught: Sequence[Student], palette: Palette) -> dict[str, Any]:
    color = palette.categories[number]
    drawn = [taught[0].alone, *sorted(taught, key=lambda student: student.temperature)]
    name = _("{labels} of the labels").format(labels=formatting.percent(taught[0].labels, 0))
    values = [_value(student) for student in drawn]
    ends = [student.card.interval for student in drawn]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [SHIFT ** (number - 1) * x for x in (ALONE, *(s.temperature for s in drawn[1:]))],
        "y": values,
        "error_y": {
            "type": "data",
            "array": [high - value for value, (_low, high) in zip(values, ends, strict=True)],
            "arrayminus": [value - low for value, (low, _high) in zip(values, ends, strict=True)],
            "color": color,
            "thickness": 1.5,
            "width": 4,
        },
        "customdata": [f"{name}<br>{_hover_text(student)}" for student in drawn],
        "hovertemplate": "%{customdata}<extra></extra>",
        "line": {
            "color": color,
            "width": 2,
        },
        "marker": {
            "color": color,
            "size": 9,
            "symbol": [f"{SYMBOLS[number]}-open", *[SYMBOLS[number]] * (len(drawn) - 1)],
        },
    }


def _hover_text(student: Student) -> str:
    low, high = student.card.interval
    text = _("temperature {t}: <b>{value}</b> ({low} to {high})")
    if not student.teacher:
        text = _("no teacher: <b>{value}</b> ({low} to {high})")
    return text.format(
        t=f"{student.temperature:g}",
        value=formatting.percent(student.card.value),
        low=formatting.percent(low),
        high=formatting.percent(high),
    )


def _value(student: Student) -> float:
    return student.card.value
