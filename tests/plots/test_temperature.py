"""The temperature figure: valid for plotly at every stage, with the spread over seeds."""

from __future__ import annotations

import math

import plotly.graph_objects as go
import pytest

from workbench.domain.metric import BITS_PER_CHARACTER
from workbench.experiments.sweep import Level
from workbench.plots import temperature
from workbench.plots.palette import THEMES

BASELINE = Level(1.0, 0.0, (0.80, 0.82))
LEVELS = [
    BASELINE,
    Level(1.0, 0.5, (0.81, 0.81)),
    Level(4.0, 0.5, (0.83, 0.85)),
    Level(1.0, 0.9, (0.79,)),
    Level(4.0, 0.9, (0.85, 0.87)),
    Level(16.0, 0.9, ()),
]


def draw(levels=LEVELS, theme="light", **more):
    figure = temperature.draw(levels, THEMES[theme], **more)
    go.Figure(figure)  # plotly rejects unknown properties
    return figure


def title(figure):
    return figure["layout"]["title"]["text"]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("levels", [[], [BASELINE], LEVELS, LEVELS[1:], LEVELS[-1:]])
@pytest.mark.parametrize("teacher", [None, 0.91])
def test_every_stage_is_a_valid_figure(theme, levels, teacher):
    assert title(draw(levels, theme, teacher=teacher))


def test_each_weight_has_its_own_line_color_and_symbol():
    first, second = draw()["data"]
    assert first["x"] == [1.0, 4.0]
    assert second["y"] == pytest.approx([0.79, 0.86])
    assert first["marker"]["color"] != second["marker"]["color"]
    assert first["marker"]["symbol"] != second["marker"]["symbol"]


def test_error_bars_are_the_standard_deviation_over_seeds():
    assert draw()["data"][0]["error_y"]["array"] == pytest.approx([0, math.sqrt(2) * 0.01])


def test_labels_alone_are_a_band():
    band, line = draw()["layout"]["shapes"]
    assert (band["y0"], band["y1"]) == pytest.approx(
        (0.81 - math.sqrt(2) * 0.01, 0.81 + math.sqrt(2) * 0.01)
    )
    assert line["y0"] == pytest.approx(0.81)


def test_the_color_of_a_weight_is_fixed():
    few = [level for level in LEVELS if level.mix != 0.5] + [Level(1.0, 0.5, ())]
    assert draw(few)["data"][0]["marker"] == draw()["data"][1]["marker"]


def test_the_temperature_axis_includes_unfinished_students():
    low, high = draw()["layout"]["xaxis"]["range"]
    assert low < 0 < math.log10(16) < high


def test_small_differences_are_not_magnified():
    low, high = draw([Level(1.0, 0.0, (0.8,)), Level(2.0, 0.9, (0.8001,))])["layout"]["yaxis"][
        "range"
    ]
    assert high - low >= temperature.MIN_HEIGHT


@pytest.mark.parametrize(
    ("levels", "summary"),
    [
        (LEVELS, "So far: Temperature 4 gains 5.0\u202fpoints over labels alone"),
        ([BASELINE], "No result yet"),
        (LEVELS[1:], "No result yet"),
        (
            [BASELINE, Level(4.0, 0.9, (0.7,)), Level(8.0, 0.9, ())],
            "So far: No temperature improves on labels alone",
        ),
        (
            [BASELINE, Level(4.0, 0.9, (0.815,))],
            "No temperature improves on labels alone by more than the error bars",
        ),
        (
            [BASELINE, Level(4.0, 0.9, (0.7,))],
            "No temperature improves on labels alone",
        ),
    ],
)
def test_the_title_summarizes_the_result(levels, summary):
    assert title(draw(levels)) == summary


def bars(figure):
    """Return the upper end of the band of labels alone, and the lower ends of all error bars."""
    band = figure["layout"]["shapes"][0]
    ends = [
        mean - margin
        for line in figure["data"]
        for mean, margin in zip(line["y"], line["error_y"]["array"], strict=True)
    ]
    return band["y1"], ends


@pytest.mark.parametrize("gain", [0.002, 0.01, 0.03, 0.06])
@pytest.mark.parametrize("examples", [None, 500, 5000])
@pytest.mark.parametrize("seeds", [1, 2])
def test_the_title_claims_a_gain_only_if_the_bars_do_not_overlap(gain, examples, seeds):
    values = (0.80, 0.81)[:seeds]
    taught = tuple(value + gain for value in values)
    figure = draw([Level(1.0, 0.0, values), Level(4.0, 0.9, taught)], examples=examples)
    end, ends = bars(figure)
    assert ("gains" in title(figure)) == (max(ends) > end)


def test_an_error_bar_is_at_least_the_sampling_error():
    figure = draw([Level(1.0, 0.0, (0.8,)), Level(4.0, 0.9, (0.803,))], examples=5000)
    assert figure["data"][0]["error_y"]["array"] == [pytest.approx(0.011, abs=0.0005)]
    assert title(figure) == "No temperature improves on labels alone by more than the error bars"


def test_better_is_higher_for_a_metric_to_minimize():
    levels = [Level(1.0, 0.0, (2.0, 2.02)), Level(4.0, 0.9, (1.5, 1.52)), Level(8.0, 0.9, (2.5,))]
    figure = draw(levels, metric=BITS_PER_CHARACTER)
    assert title(figure) == "Temperature 4 gains 0.500\u202fbits over labels alone"
    up = figure["layout"]["yaxis"]
    assert up["title"]["text"] == "validation bits per character"
    bottom, top = up["range"]
    assert bottom > 2.5
    assert top < 1.5
    texts = figure["data"][0]["customdata"]
    assert "<b>1.510\u202fbits</b> ± 0.014\u202fbits, mean of 2 seeds" in texts[0]
    assert title(draw(levels[::2], metric=BITS_PER_CHARACTER)).startswith("No temperature")
    assert temperature.rows(levels, BITS_PER_CHARACTER)[1]["bits per character"] == 1.51


def test_non_finite_values_are_not_drawn():
    levels = [BASELINE, Level(1.0, 0.9, (float("nan"), 0.8)), Level(4.0, 0.9, (0.9, 0.9))]
    assert draw(levels)["data"][0]["x"] == [4.0]


def test_the_table_holds_every_level():
    table = temperature.rows(LEVELS)
    assert table[0] == {
        "teacher_weight": 0.0,
        "temperature": None,
        "students": 2,
        "accuracy": pytest.approx(0.81),
        "spread": pytest.approx(math.sqrt(2) * 0.01),
    }
    assert table[-1]["accuracy"] is None


@pytest.mark.parametrize("teacher", [None, 0.7, 0.9])
def test_the_names_of_lines_are_next_to_the_plot_and_apart(teacher):
    figure = draw(LEVELS, teacher=teacher)
    notes = sorted(figure["layout"]["annotations"], key=lambda note: note["y"])
    assert len(notes) == 1 + (teacher is not None)
    assert {(note["x"], note["xanchor"]) for note in notes} == {(1, "left")}
    anchors = [note["yanchor"] for note in notes]
    assert anchors == (["middle"] if teacher is None else ["top", "bottom"])
