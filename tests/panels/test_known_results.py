"""Choose and Compress: what was measured on one page counts on the other, and the goal stays."""

from __future__ import annotations

from contextlib import closing

import pytest

from workbench.cache.results import ResultCache
from workbench.panels import choosing, choosing_picture
from workbench.plots.palette import LIGHT
from workbench.recipe import Prune, Quantize, Recipe
from workbench.session import Session
from workbench.study import measurement
from workbench.zoo.students import students

ODD, OTHER = Recipe(Prune(0.13), Quantize(7)), Recipe(Prune(0.17))
LIMITS = {"max_bytes": 20_000, "min_accuracy": 0.8}


@pytest.fixture
def store(monkeypatch):
    """A store that the page and the search share, as they do in the app."""
    store = ResultCache()
    for module in ("measurement", "known"):
        monkeypatch.setattr(f"workbench.study.{module}.default_result_cache", lambda: store)
    return store


@pytest.fixture
def opened(client, store):
    assert measurement.default_result_cache() is store
    client.session.choose_model("fashion/mlp-32")
    client.act("page", key="choose")
    client.act("tab", key="choose", columns=4)
    client.wait_until_idle()
    return client


def measure(client, recipe):
    client.session.set(recipe)
    client.wait_until_idle()
    return client.session.visited[-1]


def search(client, **demand):
    session, before = client.session, client.session.choosing
    client.act("choose", **{**LIMITS, "seconds": 1, **demand})
    client.wait("tab", lambda _: session.choosing is not before and not session.choosing.running)
    client.wait("tab", lambda t: t["activity"] and t["activity"]["tone"] == "done")
    return choosing.live(client.session)


def trace(client, name):
    data = choosing_picture.tab(client.session, LIGHT)["figure"]["data"]
    return next(trace for trace in data if trace.get("name") == name)


def dots(client):
    """Return the recipes of the dots in the picture, by their bytes."""
    visited = trace(client, "visited")
    recipes = [Recipe.from_json(data["recipe"]) for data in visited["customdata"]]
    return dict(zip(recipes, visited["x"], strict=True))


def test_results_of_compress_are_shown_and_begin_a_search(opened, monkeypatch):
    monkeypatch.setattr("workbench.study.limited_search.PATIENCE", 8)
    visit = measure(opened, ODD)
    assert dots(opened) == {ODD: visit.bytes}
    title = choosing_picture.tab(opened.session, LIGHT)["figure"]["layout"]["title"]["text"]
    assert "1 result of Compress" in title
    search(opened, seconds=3)  # for several recipes, also on a busy machine
    result = opened.session.choosing.recommendation.result
    assert (result.known, result.trials[0].recipe) == (1, ODD)
    line = choosing_picture.activity(opened.session.choosing)["text"]
    assert line.startswith("1 result was known already.")
    exact = [trial for trial in result.trials if trial.exact]
    assert f"{len(exact) - 1} measured on all examples, which are the dots together" in line
    assert len(dots(opened)) == len(exact)
    later = measure(opened, OTHER)
    assert dots(opened)[OTHER] == later.bytes
    known = {trial.recipe for trial in exact}
    search(opened, max_bytes=15_000)
    result = opened.session.choosing.recommendation.result
    assert known | {OTHER} <= {trial.recipe for trial in result.trials[: result.known]}


def test_a_result_of_compress_can_become_the_recommended_one(opened, monkeypatch):
    monkeypatch.setattr("workbench.study.limited_search.PATIENCE", 8)
    search(opened, max_bytes=None, min_accuracy=0.1)
    found = opened.session.choosing.recommendation.best
    small = measure(opened, Recipe(Prune(0.98), Quantize(2)))
    best = opened.session.recommendation((None, 0.1, None)).best
    assert best.bytes == min(small.bytes, found.bytes)


def test_opening_a_recipe_leaves_the_goal_that_the_user_set(opened, monkeypatch):
    monkeypatch.setattr("workbench.study.limited_search.PATIENCE", 8)
    cards = search(opened)["cards"]
    session = opened.session
    session.set_floor(0.83)
    session.set_budget(None)
    goal = session.goal
    opened.act("choose_recipe", recipe=cards[0]["recipe"])
    assert (session.goal, session.budget, session.floor) == (goal, None, 0.83)
    assert session.recipe == Recipe.from_json(cards[0]["recipe"])
    opened.act("choose_recipe", recipe="{}", model="fashion/cnn-10k")
    assert (session.model.name, session.floor) == ("fashion/cnn-10k", 0.83)


def test_suggested_limits_are_no_goal_until_they_are_searched(opened, monkeypatch):
    monkeypatch.setattr("workbench.study.limited_search.PATIENCE", 8)
    session = opened.session
    both = ["max_bytes", "min_accuracy"]
    live = choosing.live(session)
    assert (live["suggested"], session.budget, session.floor) == (both, None, None)
    figure = str(choosing_picture.tab(session, LIGHT)["figure"]["layout"]["annotations"])
    assert "suggested ≥" in figure
    assert "goal" not in figure
    opened.act("choose_limits", max_bytes=7000)  # one of them is set
    assert (session.budget, session.floor) == (7000, None)
    assert choosing.live(session)["suggested"] == ["min_accuracy"]
    opened.act("choose_limits", min_accuracy=None)  # none, also for the next search
    live = choosing.live(session)
    assert (live["suggested"], live["limits"]["min_accuracy"]) == ([], None)
    opened.act("undo")
    suggestion = choosing.live(session)["limits"]["min_accuracy"]
    opened.act("choose", max_bytes=7000, min_accuracy=suggestion, seconds=0.2)
    assert (session.budget, session.floor) == (7000, suggestion)
    assert choosing.live(session)["suggested"] == []
    opened.act("undo")
    assert (session.budget, session.floor) == (7000, None)


def test_a_search_under_the_goal_is_no_step_of_the_history(opened, monkeypatch):
    monkeypatch.setattr("workbench.study.limited_search.PATIENCE", 8)
    session = opened.session
    session.set_budget(20_000)
    session.set_floor(0.8)
    goal = session.goal
    search(opened)
    assert session.goal == goal
    session.undo()
    assert (session.budget, session.floor) == (20_000, None)


def test_a_student_is_called_so_and_a_click_leaves_it_selected():
    chosen = next(student for student in students() if student.teacher)
    with closing(Session("fashion/lenet5", store=ResultCache())) as session:
        session.distill(chosen)
        data = choosing_picture.tab(session, LIGHT)["figure"]["data"]
    first = next(trace for trace in data if trace.get("name") == "original")
    assert first["text"] == [chosen.short_title]
    assert first["customdata"] == [{"act": "choose_recipe", "recipe": "{}"}]
    assert "student" in chosen.short_title
