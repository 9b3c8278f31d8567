"""The figure of the shipped students: valid for plotly, with the values of the table."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

import workbench as wb
from workbench.plots import students
from workbench.plots.palette import THEMES
from workbench.zoo.students import NETWORKS, SHARES, TEACHERS, TEMPERATURES

NETWORK, TEACHER = NETWORKS[0], TEACHERS[0]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("teacher", TEACHERS)
def test_it_is_a_valid_figure(theme, network, teacher):
    go.Figure(students.draw(network, teacher, THEMES[theme]))  # plotly rejects unknown properties


def test_each_share_has_a_line_that_begins_without_a_teacher():
    lines = students.draw(NETWORK, TEACHER)["data"]
    assert len(lines) == len(SHARES)
    for line, share in zip(lines, SHARES, strict=True):
        drawn = [s for s in wb.students(NETWORK) if (s.teacher, s.labels) == (TEACHER, share)]
        assert [s.temperature for s in drawn] == list(TEMPERATURES)
        assert line["x"][1:] == pytest.approx(TEMPERATURES, rel=0.1)
        assert line["y"] == [s.card.value for s in (drawn[0].alone, *drawn)]
        high = [y + up for y, up in zip(line["y"], line["error_y"]["array"], strict=True)]
        assert high == pytest.approx([s.card.interval[1] for s in (drawn[0].alone, *drawn)])
        assert line["marker"]["symbol"][0].endswith("-open")
    assert len({line["marker"]["color"] for line in lines}) == len(SHARES)


def test_the_title_is_computed_from_the_values():
    few = [s for s in wb.students(NETWORK) if (s.teacher, s.labels) == (TEACHER, min(SHARES))]
    values = [s.card.value for s in few]
    gain = 100 * (max(values) - few[0].alone.card.value)
    spread = 100 * (max(values) - min(values))
    title = students.draw(NETWORK, TEACHER)["layout"]["title"]["text"]
    assert f"{gain:.1f}" in title
    assert f"{spread:.1f}" in title


def test_the_table_has_a_row_for_each_point():
    table = students.rows(NETWORK, TEACHER)
    assert len(table) == len(SHARES) * (1 + len(TEMPERATURES))
    assert [row["temperature"] for row in table[:2]] == [None, 1.0]
    assert all(row["low"] < row["accuracy"] < row["high"] for row in table)
