"""The page Choose: what it asks, finds, selects and saves."""

from __future__ import annotations

import csv
import io
import json
import re
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest

import workbench as wb
from tests.profiling.energy.fakes import Clock, Powercap, machine
from workbench import formatting
from workbench.cancel import Cancelled
from workbench.evaluation.uncompressed_file import uncompressed_bytes
from workbench.panels import (
    choosing,
    choosing_picture,
    narrowing,
    search_limits,
    search_notebook,
)
from workbench.panels.comparison.focus import update_focus
from workbench.plots.palette import LIGHT
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Prune, Quantize, Recipe
from workbench.session import Session
from workbench.session.choosing import Choosing, Demand, recipes_before
from workbench.session.records import Goal
from workbench.study import latency, speed
from workbench.study.reasons import alternatives, contributions
from workbench.study.speed import Speed
from workbench.study.trial import Cost
from workbench.zoo.students import students


@pytest.fixture
def opened(client):
    client.session.choose_model("fashion/mlp-32")
    client.act("page", key="choose")
    client.act("tab", key="choose", columns=4)
    client.wait_until_idle()
    return client


def search(client, **demand):
    client.act("choose", **{"max_bytes": 20_000, "min_accuracy": 0.8, "seconds": 1, **demand})
    return client.wait("state", lambda s: not s["choosing"]["working"] and s["choosing"]["cards"])


@pytest.mark.slow
def test_a_search_fills_the_cards_and_the_picture(opened):
    state = search(opened)["choosing"]
    assert state["met"]
    assert 1 <= len(state["cards"]) <= 4
    result = opened.session.choosing.recommendation
    own = [card for card in state["cards"] if card["model"] is None]
    low, high = result.goal.on_test(result.best)
    assert own[0]["facts"][3] == {
        "value": f"{100 * low:.1f}\u202f% – {100 * high:.1f}\u202f%",
        "label": "expected on test",
    }
    assert "test examples, expect" in state["reasons"][1]
    assert own[0]["facts"][1]["value"] in state["reasons"][0]  # the same ratio everywhere
    assert result.result.original[0] == uncompressed_bytes(result.model)
    for card, trial in zip(own, result.choices, strict=True):
        assert card["facts"][0]["value"] == f"{trial.bytes:,}\u202fbytes"
        assert Recipe.from_json(card["recipe"]) == trial.recipe
    tab = opened.wait("tab", lambda t: t["activity"] and t["activity"]["tone"] == "done")
    visited = next(t for t in tab["figure"]["data"] if t.get("name") == "visited")
    exact = [trial for trial in result.result.trials if trial.exact]
    assert sorted(visited["x"]) == sorted(trial.bytes for trial in exact)
    assert {click["act"] for click in visited["customdata"]} == {"choose_recipe"}

    opened.act("choose_csv")
    name, _mime, content = opened.file()
    assert name == "recipes.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [int(row["bytes"]) for row in rows] == [trial.bytes for trial in result.result.trials]

    opened.act("choose_recipe", recipe=state["cards"][0]["recipe"])
    assert opened.session.recipe == result.best.recipe
    assert (opened.session.budget, opened.session.floor) == (20_000, 0.8)


def test_the_first_search_has_the_limits_of_the_goal(opened):
    opened.session.set_budget(50_000)
    opened.session.set_floor(0.7)
    questions = choosing.section(opened.session)["questions"]
    values = {question["key"]: question["value"] for question in questions}
    assert (values["max_bytes"], values["min_accuracy"]) == (50, 70)


@pytest.mark.slow
def test_limits_that_cannot_be_met_are_named(opened):
    state = search(opened, max_bytes=100, min_accuracy=None)["choosing"]
    assert not state["met"]
    assert len(state["cards"]) == 1
    assert "100" in " ".join(state["reasons"])
    tab = opened.wait("tab", lambda t: t["activity"] and t["activity"]["tone"] == "done")
    labels = {text for t in tab["figure"]["data"] for text in as_list(t.get("text"))}
    assert "nearest to the limits" in labels
    assert "recommended" not in labels


def as_list(texts):
    return [texts] if isinstance(texts, str) else texts or []


@pytest.mark.slow
def test_a_larger_file_is_named_only_if_its_value_reads_better(opened):
    search(opened, max_bytes=10_000)
    result = opened.session.choosing.recommendation
    best = result.best
    goal = result.goal
    equal = replace(best, bytes=best.bytes + 500, value=best.value + 1e-6)
    better = replace(best, bytes=best.bytes + 900, value=best.value + 0.02)

    def sentences(*front):
        return [*alternatives(best, goal, SimpleNamespace(front=[best, *front]))]

    assert sentences(equal) == []
    (sentence,) = sentences(equal, better)
    assert f"{better.bytes:,}" in sentence


@pytest.mark.slow
def test_the_part_of_each_method_is_said_by_the_file_without_it(opened):
    search(opened)
    result = opened.session.choosing.recommendation
    best = replace(result.best, recipe=Recipe(Prune(0.5), Quantize(4)))
    other = replace(result.best, recipe=Recipe(Prune(0.5)), bytes=70_123, value=0.8512)
    trials = SimpleNamespace(trials=[best, other], metric=result.result.metric)
    assert list(contributions(best, trials)) == [
        "The same without “4 bits” has 70,123\u202fbytes and 85.1\u202f%."
    ]


@pytest.mark.slow
def test_a_search_can_be_stopped_and_continued(opened):
    opened.act("choose", max_bytes=None, min_accuracy=None, seconds=60)
    opened.wait("tab", lambda t: t["activity"] and t["activity"]["tone"] == "working")
    opened.act("cancel")
    tab = opened.wait("tab", lambda t: t["activity"] and t["activity"]["tone"] == "stopped")
    assert [button["act"] for button in tab["activity"]["buttons"]] == ["continue_choosing"]
    opened.act("continue_choosing")
    assert opened.session.choosing.demand.seconds == 60
    opened.act("cancel", job="choose")
    opened.wait("tab", lambda t: t["activity"] and t["activity"]["tone"] == "stopped")


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [None, 0, -1, 1e9, "x"])
def test_an_impossible_time_is_a_message(opened, seconds):
    opened.act("choose", max_bytes=None, min_accuracy=None, seconds=seconds)
    assert "3,600" in opened.wait("banner")["text"]
    assert opened.session.choosing is None


@pytest.mark.parametrize(
    ("seconds", "left"),
    [(10, 10), (0.5, 0.5), (0, 30), (9999, 30), ("9", 30), (True, 30), (None, 30)],
)
def test_the_time_of_a_search_stays_when_the_page_is_left(seconds, left):
    with closing(Session("fashion/mlp-32")) as session:
        update_focus(session, "search_seconds", seconds)
        session.choose_model("fashion/cnn-10k")
        questions = choosing.section(session)["questions"]
    assert questions[-1]["value"] == left


@pytest.mark.slow
def test_another_model_has_no_result(opened):
    search(opened)
    opened.session.choose_model("fashion/cnn-10k")
    assert opened.session.choosing is None
    state = choosing.live(opened.session)
    assert (state["cards"], state["working"]) == ([], False)


def test_a_model_without_an_accuracy_is_not_asked_for_one(linear):
    with closing(Session(linear().name)) as session:
        keys = [question["key"] for question in choosing.section(session)["questions"]]
    assert keys == ["max_bytes", "seconds"]


def test_the_questions_suggest_limits():
    with closing(Session("fashion/mlp-32")) as session:
        section = choosing.section(session)
    values = {question["key"]: question["value"] for question in section["questions"]}
    original = wb.model("fashion/mlp-32")
    assert values["max_bytes"] * 1000 < original.original_bytes
    assert values["min_accuracy"] / 100 < original.accuracy("validation")
    assert json.dumps(section)


@pytest.mark.slow
def test_the_other_pictures_show_progress_and_what_recipes_have_in_common(opened):
    search(opened)
    result = opened.session.choosing.recommendation.result
    opened.act("focus", key="choosing", value="progress")
    tab = opened.wait(
        "tab", lambda t: t["figure"]["data"][0]["type"] == "scatter" and t["controls"]
    )
    line = opened.wait("tab", lambda t: len(t["figure"]["data"]) == 1)["figure"]["data"][0]
    assert (len(line["x"]), line["y"][-1]) == (len(result.trials), 1.0)
    opened.act("focus", key="choosing", value="fields")
    tab = opened.wait("tab", lambda t: t["figure"]["data"][0]["type"] == "parcoords")
    exact = [trial for trial in result.trials if trial.exact]
    sizes = tab["figure"]["data"][0]["dimensions"][-2]["values"]
    for axis in tab["figure"]["data"][0]["dimensions"][-2:]:  # bytes and metric have round ticks
        assert 2 <= len(axis["ticktext"]) <= 8
        assert all(re.fullmatch(r"[1-9]?\d0*(\.\d)?\u202f\S+", text) for text in axis["ticktext"])
    assert [round(10**size) for size in sizes] == [trial.bytes for trial in exact]
    opened.act("focus", key="choosing", value="dreams")
    assert opened.session.focus.choosing == "fields"


@pytest.mark.slow
def test_another_network_that_is_better_has_a_card(opened):
    state = search(opened, max_bytes=9_000, min_accuracy=0.875)["choosing"]
    *own, other = state["cards"]
    assert [card["model"] for card in own] == [None] * len(own)
    known = opened.session.choosing.recommendation.other
    assert (other["model"], other["title"]) == (known.name, "another network: meets the limits")
    low, high = known.on_test(opened.session.choosing.recommendation.goal)
    expected = f"{formatting.percent(low)} – {formatting.percent(high)}"
    assert {"value": expected, "label": "expected on test"} in other["facts"]
    tab = opened.wait("tab", lambda t: t["activity"] and t["activity"]["tone"] == "done")
    marks = next(t for t in tab["figure"]["data"] if t.get("name") == "presets")
    dots = zip(marks["x"], marks["customdata"], strict=True)
    assert (known.trial.bytes, known.name) in [(x, data.get("model")) for x, data in dots]
    measured = wb.measure(wb.model(known.name), known.trial.recipe, timed=False)
    assert (measured.bytes, measured.value) == (known.trial.bytes, known.trial.value)
    assert measured.bytes <= 9_000
    assert measured.value >= 0.875
    opened.act("choose_recipe", recipe=other["recipe"], model=other["model"])
    assert opened.session.model.name == known.name
    assert opened.session.recipe == known.trial.recipe


@pytest.mark.slow
def test_a_range_of_an_axis_narrows_the_next_search(opened):
    search(opened)
    opened.act("focus", key="choosing", value="fields")
    opened.wait("tab", lambda t: t["figure"]["data"][0]["type"] == "parcoords")
    values = narrowing.fields(opened.session.model)["quantize.bits"]
    first, last = values.index(5), values.index(3)
    brush = {"field": "quantize.bits", "range": [first - 0.4, last + 0.3]}
    opened.act("focus", key="narrowed", value=brush)
    opened.act("focus", key="axis", value="quantize.bits")
    tab = opened.wait("tab", lambda t: len(t["controls"]) == 5)
    assert [control["value"] for control in tab["controls"][1:4]] == ["quantize.bits", first, last]
    assert "bits 5 to 3" in tab["figure"]["layout"]["title"]["text"]
    axes = {d.get("name"): d for d in tab["figure"]["data"][0]["dimensions"]}
    assert axes["quantize.bits"]["constraintrange"] == [first - 0.5, last + 0.5]
    search(opened, seconds=4)  # on a busy machine, nothing is measured within a second
    opened.wait_until_idle()
    result = opened.session.choosing.recommendation
    assert result.result.study.space.axes["quantize.bits"] == (5, 4, 3)
    recipes = [trial.recipe for trial in result.result.trials]
    bits = {recipe.quantize.bits for recipe in recipes if recipe.quantize}  # others share values
    assert bits
    assert bits <= {5, 4, 3}
    notebook = "".join(
        cell["source"]
        for cell in search_notebook.search_notebook(result, opened.session.choosing.demand)["cells"]
    )
    assert "'quantize.bits': [5, 4, 3]" in notebook
    opened.act("focus", key="all_values", value=0)
    opened.wait("tab", lambda t: len(t["controls"]) == 4)
    assert opened.session.focus.narrowed == ()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("narrowed", {"field": "quantize.bits", "range": [1.2, 1.4]}, (1, 1)),
        ("narrowed", {"field": "quantize.bits", "range": [-7, 99]}, None),
        ("narrowed", {"field": "quantize.bits", "range": [2, float("nan")]}, None),
        ("narrowed", {"field": "quantize.bits", "range": None}, None),
        ("narrowed", {"field": "abacus", "range": [0, 1]}, None),
        ("narrowed", "bits", None),
        ("first_value", 3, (3, 6)),
        ("first_value", 99, (6, 6)),
        ("last_value", 0, (0, 0)),
        ("last_value", "0", None),
    ],
)
def test_what_is_narrowed(key, value, expected):
    with closing(Session("fashion/mlp-32")) as session:
        update_focus(session, "axis", "quantize.bits")
        update_focus(session, key, value)
        ranges = {name: (first, last) for name, first, last in session.focus.narrowed}
    assert ranges.get("quantize.bits") == expected
    assert len(ranges) == (expected is not None)


def test_the_ends_of_a_narrow_range_move_each_other():
    with closing(Session("fashion/mlp-32")) as session:
        update_focus(session, "axis", "quantize.bits")
        update_focus(session, "narrowed", {"field": "quantize.bits", "range": [2, 3]})
        update_focus(session, "first_value", 5)
        assert session.focus.narrowed == (("quantize.bits", 5, 5),)
        update_focus(session, "last_value", 1)
        assert session.focus.narrowed == (("quantize.bits", 1, 1),)


def test_the_smallest_limit_is_one_byte():
    assert search_limits.limits({"max_bytes": 0.3}) == {"max_bytes": 1}
    assert search_limits.limits({"max_bytes": 7.6}) == {"max_bytes": 8}


def test_a_search_that_goes_on_knows_what_it_knew_at_its_start():
    recipes = [Recipe(Quantize(bits)) for bits in (2, 3, 5)]
    trials = [SimpleNamespace(recipe=recipe, exact=True) for recipe in recipes]
    found = SimpleNamespace(result=SimpleNamespace(trials=trials, known=1))
    demand = Demand(10_000, 0.8, seconds=20)
    earlier = Choosing(demand, found)
    longer, other = replace(demand, seconds=60), replace(demand, max_bytes=9_000)
    known = recipes_before([], "fashion/mlp-32", earlier, longer)
    assert [recipe in known for recipe in recipes] == [True, False, False]
    assert set(recipes) <= set(recipes_before([], "fashion/mlp-32", earlier, other))


@pytest.fixture(autouse=True)
def powercap(tmp_path, monkeypatch):
    """The folder of energy counters, which has none on any machine until a test adds one."""
    for module in (choosing, latency):
        monkeypatch.setattr(module, "Machine", lambda: machine(tmp_path, Clock()))
    return Powercap(tmp_path / "powercap")


def keys(session):
    return [question["key"] for question in choosing.section(session)["questions"]]


def test_only_a_counter_lets_the_page_ask_for_an_energy(powercap):
    with closing(Session("fashion/mlp-32")) as session:
        assert keys(session) == ["max_bytes", "min_accuracy", "seconds"]
        powercap.zone("intel-rapl:0", "package-0", 0)
        assert keys(session) == ["max_bytes", "min_accuracy", "max_energy_mj", "seconds"]


@pytest.mark.slow
def test_a_limit_on_the_energy_is_searched_and_shown(opened, powercap, monkeypatch):
    powercap.zone("intel-rapl:0", "package-0", 0)
    spent = Energy(0.002, 0.001, 0.003, "counter", ("package",))
    monkeypatch.setattr(speed, "measured_cost", lambda *_arguments, energy: Cost(1.0, spent))
    monkeypatch.setattr(Speed, "_remaining", 60.0)  # a busy machine takes longer for the search
    state = search(opened, max_energy_mj=2.5)["choosing"]
    opened.wait_until_idle()
    assert choosing.live(opened.session)["met"]
    assert opened.session.choosing.recommendation.goal.max_energy_mj == 2.5
    cards = choosing.live(opened.session)["cards"]
    assert {"value": spent.amount, "label": "energy of one example"} in cards[0]["facts"]
    questions = choosing.section(opened.session)["questions"]
    assert next(q["value"] for q in questions if q["key"] == "max_energy_mj") == 2.5
    notebook = search_notebook.search_notebook(
        opened.session.choosing.recommendation, opened.session.choosing.demand
    )
    assert "max_energy_mj=2.5" in json.dumps(notebook)
    assert state["cards"]
    opened.act("choose", max_energy_mj=0, seconds=2)
    assert "energy" in opened.wait("banner")["text"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("millijoules", "headline", "reason"),
    [
        (9.0, "No recipe meets", "9.00 mJ per example are 9.00 mJ above the limit of 0.001 mJ."),
        (None, "No recipe is known to meet", "Latency and energy were not measured in this time"),
    ],
)
def test_a_limit_on_the_energy_that_is_not_met(
    opened, powercap, monkeypatch, millijoules, headline, reason
):
    def cost(*_arguments, energy):
        assert energy
        if millijoules is None:
            raise Cancelled
        return Cost(1.0, Energy(millijoules / 1000, 0.0, 1.0, "counter", ("package",)))

    powercap.zone("intel-rapl:0", "package-0", 0)
    monkeypatch.setattr(speed, "measured_cost", cost)
    monkeypatch.setattr(Speed, "_remaining", 60.0)
    search(opened, max_energy_mj=0.001)
    opened.wait_until_idle()
    state = choosing.live(opened.session)
    assert state["headline"].startswith(headline)
    assert any(text.replace("\u202f", " ").startswith(reason) for text in state["reasons"])
    figure = choosing_picture.tab(opened.session, LIGHT)["figure"]
    assert "nearest to the limits" in str(figure)
    assert "recommended" not in str(figure)
    assert "recommended" not in str(opened.session.choosing.recommendation.plot().figure)


def test_limits_are_dragged_in_the_picture(opened):
    def limits(tab):
        return {each["key"]: each["value"] for each in tab["figure"]["layout"]["meta"]["limits"]}

    opened.act("choose_limits", max_bytes=7000, min_accuracy=0.8)
    opened.wait("tab", lambda t: limits(t) == {"budget": 7000, "floor": 0.8})
    opened.act("choose_limits", max_bytes=7000, min_accuracy=None)
    opened.wait("tab", lambda t: limits(t) == {"budget": 7000})
    questions = choosing.section(opened.session)["questions"]
    assert [question["value"] for question in questions[:2]] == [7, None]
    opened.act("choose_limits", max_bytes="much")
    assert "maximum size" in opened.wait("banner")["text"]


def test_limits_are_the_goal_and_are_undone_there(opened):
    session = opened.session
    opened.act("choose_limits", max_bytes=7000, min_accuracy=0.8)
    assert (session.budget, session.floor) == (7000, 0.8)
    session.set_budget(9000)
    state = opened.wait("state", lambda s: s["budget"] == 9000)
    assert state["choosing"]["limits"] == {
        "max_bytes": 9000,
        "min_accuracy": 0.8,
        "max_energy_mj": None,
    }
    assert (state["undo"], state["redo"]) == (True, False)
    opened.act("undo")
    opened.act("undo")
    assert session.goal == Goal()
    state = opened.wait("state", lambda s: s["redo"])
    assert state["choosing"]["limits"]["max_bytes"] != 7000  # suggested again
    session.set(Recipe(Prune(0.5)))
    assert session.can_undo


@pytest.mark.slow
def test_results_are_not_said_to_meet_limits_that_were_set_later(opened):
    limits = {"max_bytes": 20_000, "min_accuracy": 0.8}
    found = search(opened, **limits)["choosing"]
    assert found["met"]
    opened.act("choose_limits", **{**limits, "max_bytes": 900})
    later = opened.wait("state", lambda s: not s["choosing"]["met"])["choosing"]
    assert "No measured recipe meets the new limits" in later["headline"]
    assert [card["title"] for card in later["cards"]] == ["nearest to the limits"]
    assert "nearest to the limits" in texts(opened)
    assert "recommended" not in texts(opened)
    measured = opened.session.choosing.recommendation.result.trials
    assert later["cards"][0]["recipe"] in [trial.key for trial in measured if trial.exact]
    large = max((t for t in measured if t.exact), key=lambda trial: trial.value)
    opened.act("choose_limits", max_bytes=None, min_accuracy=large.accuracy)
    other = opened.wait("state", lambda s: s["choosing"]["met"])["choosing"]
    assert "These measured recipes" in other["headline"]
    better = opened.session.recommendation((None, large.accuracy, None)).other
    title = "recommended for this network" if better else "recommended"
    assert other["cards"][0]["title"] == title
    assert other["cards"][0]["recipe"] != found["cards"][0]["recipe"]
    assert "recommended" in texts(opened)
    opened.act("choose_limits", **limits)
    again = opened.wait("state", lambda s: s["choosing"]["limits"]["max_bytes"] == 20_000)
    assert again["choosing"]["headline"] == found["headline"]
    assert again["choosing"]["cards"] == found["cards"]


def texts(client):
    """Return the texts of the points in the picture."""
    data = choosing_picture.tab(client.session, LIGHT)["figure"]["data"]
    return {text for trace in data for text in as_list(trace.get("text"))}


@pytest.mark.slow
def test_a_notebook_repeats_the_search(opened):
    opened.act("choose_notebook")
    assert opened.wait("banner")["text"]
    search(opened)
    opened.act("choose_notebook")
    name, _mime, content = opened.file()
    assert name == "search.ipynb"
    notebook = nbformat.reads(content.decode(), 4)
    nbformat.validate(notebook)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    names = {"wb": wb}
    model, recipe = sources[0], sources[-1]
    exec(model + "\n" + recipe, names)
    assert names["report"].bytes == opened.session.choosing.recommendation.best.bytes
    assert "max_bytes=20000" in sources[1]


@pytest.mark.slow
def test_a_model_of_this_session_gets_no_notebook(opened, monkeypatch):
    search(opened)
    assert "choose_notebook" in acts(opened)
    monkeypatch.setattr(search_notebook, "custom_models", lambda: {"fashion/mlp-32": None})
    assert "choose_notebook" not in acts(opened)
    opened.act("choose_notebook")
    assert "only in this session" in opened.wait("banner")["text"]


def acts(client):
    buttons = choosing_picture.activity(client.session.choosing)["buttons"]
    return [button["act"] for button in buttons]


def test_the_questions_say_what_a_selected_student_has(opened):
    student = next(student for student in students() if student.teacher)
    opened.session.distill(student)
    state = opened.wait("state", _is_about("student"))["choosing"]
    helps, title = state["helps"], opened.session.origin_model.title
    assert student.short_title in state["headline"]
    assert state["searched"] == f"Model: {student.short_title}, in place of {title}"
    figure = choosing_picture.tab(opened.session, LIGHT)["figure"]
    assert "presets" not in figure["layout"]["title"]["text"]
    assert formatting.size(opened.session.model.card["file_bytes"]) in helps["max_bytes"]
    assert formatting.percent(opened.session.model.accuracy("validation")) in helps["min_accuracy"]
    opened.session.undo()
    state = opened.wait("state", _is_about("original"))["choosing"]
    assert state["searched"] == f"Model: {title}"


def _is_about(name):
    return lambda state: name in state["choosing"]["helps"]["max_bytes"]
