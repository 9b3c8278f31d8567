"""The trade-off figure: valid for plotly, with marked estimates and fixed axes."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from workbench.plots import tradeoff
from workbench.plots.goal import Goal
from workbench.plots.palette import THEMES
from workbench.plots.scales import height
from workbench.plots.spots import MAX_SHOWN, Spot, pareto

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
        (Spot(1_800_000, 0.9, 0.9, 0.9), "Not smaller than the original, −1.4\u202fpoints"),
    ],
)
def test_the_title_summarizes_the_result(you, summary):
    assert draw(you)["layout"]["title"]["text"] == summary


def test_the_pareto_front():
    worse = Spot(500_000, 0.90, 0.90, 0.90)
    assert pareto([ORIGINAL, *VISITED, worse]) == [VISITED[1], VISITED[0], ORIGINAL]


def test_a_click_returns_the_key():
    assert trace(draw(), "visited")["customdata"] == [0, 1]


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
