"""The trade-off figure: valid for plotly, with marked estimates and fixed axes."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from workbench.domain.metric import ACCURACY, BITS_PER_CHARACTER, RMSE
from workbench.panels.actions import ACTIONS
from workbench.plots import tradeoff
from workbench.plots.goal import Goal
from workbench.plots.palette import LIGHT, THEMES
from workbench.plots.scales import height
from workbench.plots.spots import MAX_SHOWN, Landmark, Spot, pareto, thin
from workbench.plots.traces import LIVE

ORIGINAL = Spot(1_700_000, 0.914, 0.914, 0.914)
EXACT = Spot(41_203, 0.899, 0.899, 0.899)
ESTIMATE = Spot(41_203, 0.90, 0.88, 0.92)
VISITED = [Spot(400_000, 0.913, 0.913, 0.913, 0), Spot(90_000, 0.90, 0.90, 0.90, 1)]


def draw(you=EXACT, visited=VISITED, theme="light", **more):
    figure = tradeoff.draw(ORIGINAL, visited, you, THEMES[theme], **more)
    go.Figure(figure)  # plotly rejects unknown properties
    return figure


def trace(figure, name):
    return next(t for t in figure["data"] if t.get("name") == name)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("you", [None, EXACT, ESTIMATE, ORIGINAL])
@pytest.mark.parametrize("goal", [None, Goal(50_000), Goal(9, 0.85)])
def test_every_state_is_a_valid_figure(theme, you, goal):
    assert draw(you, theme=theme, size=45_000, goal=goal)["layout"]["title"]["text"]


def test_an_estimate_is_hollow_with_an_error_bar():
    you = trace(draw(ESTIMATE, size=ESTIMATE.bytes), "you")
    assert you["marker"]["color"] == THEMES["light"].panel
    assert you["error_y"]["visible"]
    top = you["y"][0] + you["error_y"]["array"][0]
    bottom = you["y"][0] - you["error_y"]["arrayminus"][0]
    assert (bottom, top) == pytest.approx((height(0.88), height(0.92)))


def test_an_exact_point_is_filled():
    you = trace(draw(size=EXACT.bytes), "you")
    assert you["marker"]["color"] == THEMES["light"].accent
    assert not you["error_y"]["visible"]
    assert you["opacity"] == 1


def test_an_outdated_point_is_faint():
    figure = draw(size=39_000)
    assert trace(figure, "you")["opacity"] < 1
    assert figure["layout"]["shapes"][-1]["x0"] == 39_000


def test_axes_do_not_move_with_the_point():
    first, second = draw(EXACT), draw(Spot(200_000, 0.5, 0.5, 0.5), visited=[])
    for axis in ("xaxis", "yaxis"):
        assert first["layout"][axis]["range"] == second["layout"][axis]["range"]


@pytest.mark.parametrize(
    ("you", "summary"),
    [
        (None, "The original model: move a slider to compress it"),
        (EXACT, "41.3\u202f× smaller costs 1.5\u202fpoints of accuracy"),
        (ESTIMATE, "41.3\u202f× smaller for about 1.4\u202fpoints of accuracy"),
        (Spot(170_000, 0.914, 0.914, 0.914), "10.0\u202f× smaller, and as accurate as before"),
        (
            Spot(170_000, 0.920, 0.920, 0.920),
            "10.0\u202f× smaller, and 0.6\u202fpoints more accurate",
        ),
        (Spot(1_800_000, 0.914, 0.914, 0.914), "Not smaller than the original, and as good"),
        (Spot(1_800_000, 0.9, 0.9, 0.9), "Not smaller than the original, −1.4\u202fpoints"),
    ],
)
def test_the_title_summarizes_the_result(you, summary):
    assert draw(you)["layout"]["title"]["text"] == summary


def test_the_pareto_front():
    worse = Spot(500_000, 0.90, 0.90, 0.90)
    assert pareto([ORIGINAL, *VISITED, worse]) == [VISITED[1], VISITED[0], ORIGINAL]


def test_the_front_goes_through_presets_and_students():
    best = Spot(30_000, 0.905, 0.905, 0.905)
    for kind in ("preset", "student"):
        front = draw(landmarks=[Landmark("best", best, kind)])["data"][0]
        assert 30_000 in front["x"]
        assert 30_000 not in draw()["data"][0]["x"]


def test_the_axis_reaches_the_worst_preset_but_not_one_that_is_far_off():
    original = Spot(100_000, 1.0, 1.0, 1.0)
    far, near = (Landmark("a", Spot(9_000, x, x, x)) for x in (1e9, 6.0))
    low = [
        tradeoff.draw(original, [], None, THEMES["light"], landmarks=marks, metric=RMSE)
        for marks in ([], [near], [far])
    ]
    ends = [figure["layout"]["yaxis"]["range"][0] for figure in low]
    assert ends[0] > ends[1] > ends[2]
    assert [len(trace(figure, "presets")["x"]) for figure in low] == [0, 1, 0]


def test_presets_are_hollow_labeled_and_selected_by_a_click():
    presets = trace(draw(landmarks=[Landmark("8 bits", VISITED[0], name="int8")]), "presets")
    assert presets["marker"]["symbol"] == "circle-open"
    assert presets["text"] == ["8 bits"]
    assert presets["customdata"] == [{"act": "preset", "key": "int8", "label": "8 bits"}]


def test_hovering_a_preset_shows_its_change_from_the_original():
    presets = trace(draw(landmarks=[Landmark("8 bits", VISITED[1], name="int8")]), "presets")
    assert presets["hovertext"][0].startswith("90.0\u202f% (−1.4\u202fpoints)<br>")


def test_a_preset_next_to_the_current_point_has_no_label():
    near = Landmark("small", replace(EXACT, bytes=EXACT.bytes + 1000), name="small")
    marks = [near, Landmark("8 bits", VISITED[0], name="int8")]
    assert trace(draw(EXACT, landmarks=marks), "presets")["text"] == ["", "8 bits"]
    assert trace(draw(None, landmarks=marks), "presets")["text"] == ["small", "8 bits"]
    low = replace(EXACT, value=0.5, low=0.5, high=0.5)
    assert trace(draw(low, landmarks=marks), "presets")["text"] == ["small", "8 bits"]


def test_a_preset_far_below_the_axis_is_not_drawn():
    bits = Spot(1_000, 1.5, 1.5, 1.5)
    marks = [Landmark(str(value), Spot(100, value, value, value)) for value in (2.0, 900.0)]
    figure = tradeoff.draw(bits, [], None, LIGHT, landmarks=marks, metric=BITS_PER_CHARACTER)
    assert trace(figure, "presets")["text"] == ["2.0"]


def test_students_are_triangles_that_differ_in_color():
    marks = [Landmark("taught", EXACT, "student"), Landmark("alone", VISITED[1], "alone")]
    figure = draw(landmarks=marks)
    assert trace(figure, "students")["marker"]["color"] == [LIGHT.accent, LIGHT.past]
    assert trace(figure, "students")["marker"]["symbol"] == "triangle-up"
    assert trace(figure, "presets")["x"] == []


def test_the_trail_is_hollow_where_it_is_estimated():
    trail = trace(draw(trail=[EXACT, replace(EXACT, preview=True)]), "trail")
    assert trail["marker"]["color"] == [LIGHT.accent, LIGHT.panel]


def test_the_page_draws_what_moves_with_the_numbers():
    live = [t["name"] for t in draw()["data"] if t.get("meta") == LIVE]
    assert live == ["students", "trail", "you"]


def test_the_area_outside_the_goal_has_its_limits_as_text():
    layout = draw(goal=Goal(100_000, 0.9))["layout"]
    assert [note["text"] for note in layout["annotations"]] == [
        "goal ≤ 100\u202fkB",
        "≥ 90\u202f%",
    ]
    assert sum(shape["type"] == "rect" for shape in layout["shapes"]) == 2


def test_limits_outside_the_axes_have_their_texts_at_the_edges():
    notes = draw(goal=Goal(10, 0.9999))["layout"]["annotations"]
    assert [note["text"] for note in notes] == [
        "goal ≤ 10\u202fB",
        "goal ≥ 99.99\u202f%",
    ]


def test_the_axis_says_what_its_lines_mean():
    title = draw()["layout"]["yaxis"]["title"]["text"]
    assert title == "accuracy on validation<br>each line at least halves the errors"
    errors = [1 - 10**-tick for tick in draw()["layout"]["yaxis"]["tickvals"]]
    assert errors == pytest.approx([0, 0.5, 0.8, 0.9])


def test_a_click_returns_the_key():
    assert trace(draw(), "visited")["customdata"] == [0, 1]


def test_a_long_front_is_thinned_too():
    front = [Spot(1000 + n, n / 1000, n / 1000, n / 1000) for n in range(2 * MAX_SHOWN)]
    shown = thin(front, ACCURACY)
    assert len(shown) == MAX_SHOWN
    assert shown[-1] == front[-1]


def test_many_visits_are_thinned_and_the_best_remain():
    visits = [Spot(10_000 + n, 0.5, 0.5, 0.5, n) for n in range(1, 2000)]
    best = Spot(10_000, 0.91, 0.91, 0.91, 0)
    drawn = trace(draw(visited=[best, *visits]), "visited")
    assert len(drawn["x"]) <= MAX_SHOWN
    assert {0, 1999} <= set(drawn["customdata"])


def test_the_table():
    rows = tradeoff.rows(ORIGINAL, VISITED, ESTIMATE)
    assert [row["point"] for row in rows] == ["original", "visited", "visited", "you"]
    assert rows[-1]["accuracy_low"] == 0.88


def test_the_table_has_presets_and_the_goal():
    small = Landmark("small", Spot(9_000, 0.9, 0.9, 0.9))
    goal = Goal(60_000, None)
    rows = tradeoff.rows(ORIGINAL, [], ESTIMATE, landmarks=[small], goal=goal)
    assert [row["point"] for row in rows] == ["original", "preset", "you", "goal"]
    assert (rows[1]["label"], rows[1]["bytes"]) == ("small", 9_000)
    assert (rows[-1]["bytes"], rows[-1]["accuracy"]) == (60_000, None)
    assert {tuple(row) for row in rows} == {tuple(rows[0])}


def test_a_click_on_the_original_selects_it():
    (data,) = trace(draw(), "original")["customdata"]
    assert data == {"act": "reset"}
    assert data["act"] in ACTIONS


@pytest.mark.parametrize("goal", [None, Goal(60_000, 0.89), Goal(41_300, 0.9)])
def test_a_name_of_the_point_is_not_on_the_line_that_goes_on_to_the_right(goal):
    you = trace(draw(goal=goal, label="recommended"), "you")
    assert you["text"] == ["recommended"]
    assert you["textposition"] in {"top center", "middle left"}
    assert trace(draw(Spot(8_000, 0.8, 0.8, 0.8), goal=goal, label="recommended"), "you")[
        "textposition"
    ] in {"top center", "middle left"}
