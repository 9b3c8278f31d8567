"""History, presets, models, limits and links."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.recipe.presets import PRESETS
from workbench.session import DEFAULT_MODEL
from workbench.session.records import Goal

SMALL, CONV = "fashion/lenet-300-100", "fashion/lenet5"


def pruned(sparsity, **more):
    return wb.Recipe(prune=wb.Prune(sparsity=sparsity, **more))


@pytest.fixture
def state(session):
    """Return the visible part of the selection."""
    return lambda: (session.model.name, session.recipe, session.can_undo, session.can_redo)


def test_undo_and_redo_visit_the_same_states(session, state):
    path = [state()]
    for sparsity in (0.2, 0.4):
        session.set(pruned(sparsity))
    session.choose_model(CONV)
    assert state() == (CONV, pruned(0.4), True, False)
    session.undo()
    assert state() == (SMALL, pruned(0.4), True, True)
    session.undo()
    session.undo()
    assert state() == (*path[0][:3], True)
    session.undo()
    assert session.recipe == wb.Recipe()
    for expected in ((SMALL, pruned(0.2)), (SMALL, pruned(0.4)), (CONV, pruned(0.4))):
        session.redo()
        assert state()[:2] == expected
    assert not session.can_redo
    session.redo()
    assert state()[:2] == (CONV, pruned(0.4))


def test_a_new_selection_clears_redo(session):
    session.set(pruned(0.2))
    session.undo()
    session.set(pruned(0.3))
    assert not session.can_redo
    session.undo()
    assert session.recipe == wb.Recipe()


def test_undo_and_redo_show_cached_reports(session, until):
    session.set(pruned(0.2))
    until(session, lambda: not session.busy)
    session.undo()
    assert session.report.recipe == wb.Recipe()
    session.redo()
    assert session.report.recipe == pruned(0.2)
    assert session.report.exact


def test_history_is_bounded(session, fake, monkeypatch):
    monkeypatch.setattr("workbench.session.records.LONGEST_HISTORY", 3)
    for k in range(20):
        session.set(pruned(k / 100 + 0.1))
    steps = 0
    while session.can_undo:
        session.undo()
        steps += 1
    assert 3 <= steps <= 4


def test_reset_can_be_undone(session):
    session.set(pruned(0.2))
    session.reset()
    assert (session.model.name, session.recipe) == (SMALL, wb.Recipe())
    session.undo()
    assert session.recipe == pruned(0.2)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets(session, preset):
    session.preset(preset.name)
    assert session.recipe == preset.recipe
    session.undo()
    assert session.recipe == wb.Recipe()


def test_another_model_keeps_the_recipe(session, until):
    session.set(pruned(0.2))
    until(session, lambda: not session.busy)
    session.choose_model(CONV)
    assert (session.model.name, session.recipe) == (CONV, pruned(0.2))
    assert session.layers == wb.model(CONV).layers
    until(session, lambda: not session.busy)
    assert session.report.model == CONV
    assert session.visited[0].recipe == pruned(0.2)


def test_another_model_drops_settings_of_missing_layers(session):
    session.set(
        wb.Recipe(
            prune=wb.Prune(0.2, criterion="random", layers={"fc3.weight": 0.5}),
            quantize=wb.Quantize(4, exclude=("fc3.weight",)),
        )
    )
    session.choose_model(CONV)
    expected = wb.Recipe(prune=wb.Prune(0.2, criterion="random"), quantize=wb.Quantize(4))
    assert session.recipe == expected
    session.undo()
    assert session.recipe.prune.layers == {"fc3.weight": 0.5}


def test_another_model_keeps_settings_of_common_layers(session):
    recipe = pruned(0.2, exclude=("fc1.weight",))
    session.set(recipe)
    session.choose_model(CONV)
    assert session.recipe == recipe


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda session: session.choose_model("fashion/vgg"), None),
        (lambda session: session.preset("huge"), "name.unknown_preset"),
        (lambda session: session.set(pruned(0.5, exclude=("conv1.weight",))), None),
        (lambda session: session.set_budget(0), "session.invalid_budget"),
        (lambda session: session.set_budget(-5), "session.invalid_budget"),
        (lambda session: session.set_floor(1.01), "session.invalid_floor"),
        (lambda session: session.set_floor(-0.1), "session.invalid_floor"),
        (lambda session: session.set_floor(float("nan")), "session.invalid_floor"),
    ],
)
def test_an_invalid_request_changes_nothing(session, state, act, code):
    session.set_budget(1000)
    session.set_floor(0.8)
    before = state(), session.budget, session.floor, session.report
    with pytest.raises(WorkbenchError) as caught:
        act(session)
    assert code in (None, caught.value.code)
    assert (state(), session.budget, session.floor, session.report) == before


def test_limits_can_be_removed(session):
    session.set_budget(1000)
    session.set_floor(0.0)
    session.set_floor(1.0)
    session.set_budget(None)
    session.set_floor(None)
    assert (session.budget, session.floor) == (None, None)


@pytest.mark.slow
@pytest.mark.parametrize("floor", [None, 0.855, 1.0])
@pytest.mark.parametrize("budget", [None, 41_203])
@pytest.mark.parametrize("name", [SMALL, CONV])
def test_a_link_opens_the_same_state(session, open_session, name, budget, floor):
    session.choose_model(name)
    session.set(
        wb.Recipe(
            prune=wb.Prune(
                0.123456, scope="uniform", layers={"fc1.weight": 0.5}, exclude=("fc2.weight",)
            ),
            quantize=wb.Quantize(3, "fp16", "affine", "group", 32, "percentile", 99.5),
        )
    )
    session.set_budget(budget)
    session.set_floor(floor)
    other = open_session()
    other.restore(session.query())
    assert (other.model, other.recipe) == (session.model, session.recipe)
    assert (other.budget, other.floor) == (budget, floor)
    assert other.query() == session.query()


def test_a_change_of_the_goal_is_one_step_and_keeps_the_results(session, until):
    session.set(pruned(0.5))
    until(session, lambda: not session.busy)
    report = session.report
    session.set_budget(1000)
    session.set_floor(0.8)
    session.set_floor(0.8)
    assert (session.recipe, session.report, session.busy) == (pruned(0.5), report, False)
    session.undo()
    assert session.goal == Goal(1000)
    session.undo()
    assert (session.goal, session.recipe) == (Goal(), pruned(0.5))
    session.redo()
    assert session.goal == Goal(1000)
    session.set(pruned(0.6))
    assert session.goal == Goal(1000)
    session.undo()
    assert (session.goal, session.recipe, session.report) == (Goal(1000), pruned(0.5), report)


def test_a_goal_belongs_to_a_model_and_its_data(session):
    limits = {"max_bytes": 1000, "max_energy_mj": None, "min_accuracy": 0.8}
    session.set_limits(limits)
    assert session.goal == Goal(1000, 0.8, tuple(limits.items()))
    session.choose_model(CONV)
    assert session.goal == Goal()
    session.set_budget(7)
    session.undo()
    session.undo()
    assert (session.model.name, session.budget) == (SMALL, 1000)
    session.redo()
    assert (session.model.name, session.budget) == (CONV, None)


def test_a_link_begins_the_history(session):
    session.restore("m=fashion/lenet-300-100&prune.sparsity=0.5")
    assert not session.can_undo
    session.set(pruned(0.7))
    session.undo()
    assert (session.model.name, session.recipe) == ("fashion/lenet-300-100", pruned(0.5))
    assert not session.can_undo


def test_an_empty_link_opens_the_default(session):
    session.set_budget(3)
    session.restore("")
    assert (session.model.name, session.recipe) == (DEFAULT_MODEL, wb.Recipe())
    assert session.budget is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        "m=fashion/vgg",
        "m=fashion/lenet5&prune.sparsity=1.5",
        "m=fashion/lenet5&prune.sparsity=much",
        "m=fashion/lenet5&quantize.bits=1",
        "m=fashion/lenet5&color=red",
        "m=fashion/lenet5&m=fashion/resnet",
        "m=fashion/lenet5&prune.exclude=fc9.weight",
        "m=fashion/lenet5&budget=much",
        "m=fashion/lenet5&floor=0.5&budget=-1",
        "m=fashion/lenet5&budget=5&floor=7",
        "m=fashion/lenet5&floor=nan",
        "v=9&m=fashion/lenet5",
        "m=" + "x" * 5000,
        "m=fashion/lenet5&prune.layers=fc1.weight",
        "%00=%ff",
    ],
)
def test_an_invalid_link_is_an_error_and_opens_the_default(session, query):
    session.set(pruned(0.2))
    session.set_budget(7)
    with pytest.raises(WorkbenchError) as caught:
        session.restore(query)
    assert str(caught.value).endswith(".")
    assert (session.model.name, session.recipe) == (DEFAULT_MODEL, wb.Recipe())
    assert (session.budget, session.floor) == (None, None)


def test_visits_are_exact_and_list_each_recipe_once(session, until):
    for sparsity in (0.2, 0.4, 0.2):
        session.set(pruned(sparsity))
        until(session, lambda: not session.busy)
    assert [visit.recipe for visit in session.visited] == [wb.Recipe(), pruned(0.2), pruned(0.4)]
    last = session.visited[1]
    assert (last.bytes, last.value) == (session.report.bytes, session.report.accuracy)


def test_an_unusable_result_cache_is_noted(session, open_session):
    assert session.note is None
    session.store.note = "Results are kept in memory only."
    assert session.note == "Results are kept in memory only."


def test_a_forgotten_model_leaves_the_history_and_the_default_takes_its_place(session, until):
    session.set(pruned(0.2))
    session.choose_model("fashion/resnet")
    session.set(pruned(0.4))
    session.undo()
    until(session, lambda: not session.busy)
    session.forget_model("fashion/resnet")
    until(session, lambda: not session.busy)
    assert (session.model.name, session.recipe) == (DEFAULT_MODEL, wb.Recipe())
    assert not session.can_redo
    session.undo()
    assert (session.model.name, session.recipe) == ("fashion/lenet-300-100", pruned(0.2))


def test_forgetting_a_model_that_is_not_selected_changes_no_selection(session, until):
    session.choose_model("fashion/resnet")
    session.choose_model("fashion/lenet5")
    until(session, lambda: not session.busy)
    session.forget_model("fashion/resnet")
    assert session.model.name == "fashion/lenet5"
    session.undo()
    assert session.model.name == "fashion/lenet-300-100"
