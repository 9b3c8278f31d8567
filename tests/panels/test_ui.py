"""Widgets for notebooks: parts of the page that share a session."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from traitlets import TraitError

import workbench as wb
from tests.raises import raises
from workbench.panels.widget import SessionWidget
from workbench.recipe import Prune, Quantize, Recipe

MODEL = "fashion/lenet-300-100"
SMALL = Recipe(Prune(0.8), Quantize(4))
TIMEOUT = 60


@pytest.fixture
def session(store):
    session = wb.Session(MODEL, store=store)
    yield session
    session.close()


@pytest.fixture
def show(monkeypatch):
    """Display a widget; return it and the list of its messages."""
    sent = {}
    monkeypatch.setattr(
        SessionWidget, "send", lambda self, message, buffers=None: sent[id(self)].append(message)
    )
    widgets = []

    def display(widget):
        widgets.append(widget)
        messages = sent[id(widget)] = []
        widget._on_message(widget, {"act": "hello", "search": "", "theme": "light"}, [])
        return widget, messages

    yield display
    for widget in widgets:
        widget.close()


def wait_for(widget, accept):
    """Wait until `accept` is true for the widget's report."""
    done = threading.Event()

    def look(_change=None):
        if accept(widget.report):
            done.set()

    widget.observe(look, "report")
    look()
    assert done.wait(TIMEOUT)
    widget.unobserve(look, "report")


def kinds(messages):
    return {message["kind"] for message in messages}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "part", "chart"),
    [
        (wb.ui.App, "app", True),
        (wb.ui.Compress, "compress", True),
        (wb.ui.Train, "train", False),
        (wb.ui.Deploy, "deploy", False),
        (wb.ui.Parallel, "parallel", False),
        (wb.ui.Plan, "plan", False),
        (wb.ui.Tradeoff, "tradeoff", True),
        (wb.ui.Card, "card", False),
        (wb.ui.Controls, "controls", False),
        (lambda session: wb.ui.Tab(session, "results"), "tab", False),
    ],
)
def test_each_widget_names_its_part_and_has_the_chart_only_if_it_shows_it(
    session, show, make, part, chart
):
    widget, messages = show(make(session))
    assert widget.part == part
    wait_for(widget, lambda report: report and report.exact)
    session.set(SMALL)
    wait_for(widget, lambda report: report and report.exact and report.recipe == SMALL)
    assert {"page", "state"} <= kinds(messages)
    assert ("chart" in kinds(messages)) == chart


def test_controls_have_only_the_chosen_fields(session, show):
    _widget, messages = show(wb.ui.Controls(session, "prune.criterion", "quantize.bits"))
    parts = messages[0]["parts"]
    assert [f["key"] for part in parts for f in part["fields"]] == [
        "prune.criterion",
        "quantize.bits",
    ]


def test_the_temperature_is_a_control(session, show):
    controls, messages = show(wb.ui.Controls(session, "distillation.temperature"))
    (part,) = messages[0]["parts"]
    assert [field["key"] for field in part["fields"]] == ["distillation.temperature"]
    values = next(m["values"] for m in messages if m["kind"] == "state")
    controls.values = {"seq": 1, "values": {**values, "distillation.temperature": 4}}
    assert session.student.temperature == 4
    controls.values = {"seq": 2, "values": {"prune.sparsity": 0.5}}
    assert session.student.temperature == 4
    assert session.recipe == Recipe(Prune(0.5))


def test_a_part_receives_only_what_it_shows(session, show):
    _widget, messages = show(wb.ui.Card(session))
    assert set(messages[0]) == {"kind", "labels", "pages", "open", "tabs"}


def test_a_tab_is_the_only_one_of_its_widget(session, show):
    widget, messages = show(wb.ui.Tab(session, "results"))
    assert [tab["key"] for tab in messages[0]["tabs"]] == ["results"]
    widget._on_message(widget, {"act": "tab", "key": "results"}, [])
    session.set(SMALL)
    wait_for(widget, lambda report: report and report.exact)
    rows = [m["table"]["rows"] for m in messages if m["kind"] == "tab"]
    assert len(rows[-1]) == 1


def test_widgets_of_one_session_stay_in_step(session, show):
    controls, _ = show(wb.ui.Controls(session, "prune.sparsity"))
    card, messages = show(wb.ui.Card(session))
    controls.values = {"seq": 1, "values": {"prune.sparsity": 0.8}}
    assert card.recipe == Recipe(Prune(0.8))
    wait_for(card, lambda report: report and report.exact and report.recipe == card.recipe)
    state = [message for message in messages if message["kind"] == "state"][-1]
    assert state["numbers"]["bytes"].startswith(f"{card.report.size.bytes:,}")
    other_values = [m["values"] for m in messages if m["kind"] == "state" and "values" in m]
    assert other_values[-1]["prune.sparsity"] == 0.8  # the other widget's controls follow
    assert controls.report == card.report


def test_gestures_of_two_widgets_are_two_steps(session, show):
    for field, value in (("prune.sparsity", 0.8), ("quantize.bits", 4)):
        controls, messages = show(wb.ui.Controls(session, field))
        values = next(m["values"] for m in messages if m["kind"] == "state")
        controls.values = {"seq": 1, "gesture": 1, "values": values | {field: value}}
    session.undo()
    assert session.recipe == Recipe(Prune(0.8))


def test_setting_the_recipe_selects_it(session):
    card, other = wb.ui.Card(session), wb.ui.Tradeoff(session)
    seen = []
    other.observe(lambda change: seen.append(change["new"]), "recipe")
    card.recipe = SMALL
    assert session.recipe == other.recipe == SMALL
    session.undo()
    assert card.recipe == other.recipe == Recipe()
    card.recipe = SMALL
    assert session.recipe == SMALL
    assert seen == [SMALL, Recipe(), SMALL]
    card.close()
    other.close()


def test_a_recipe_that_does_not_fit_changes_nothing(session):
    card = wb.ui.Card(session)
    with raises("recipe.unknown_layer"):
        card.recipe = Recipe(Prune(0.5, layers={"nowhere": 0.3}))
    with pytest.raises(TraitError):
        card.recipe = "tiny"
    assert card.recipe == session.recipe == Recipe()
    card.close()


def test_an_observer_can_select_the_next_recipe(session):
    card = wb.ui.Card(session)
    levels = iter([0.5, 0.6, 0.7])
    finished = threading.Event()

    def next_level(change):
        report = change["new"]
        if report.exact and report.recipe == card.recipe:
            level = next(levels, None)
            if level is None:
                finished.set()
            else:
                card.recipe = Recipe(Prune(level))

    card.observe(next_level, "report")
    card.recipe = Recipe(Prune(0.4))
    assert finished.wait(TIMEOUT)
    visited = {visit.recipe.prune.sparsity for visit in session.visited if visit.recipe.prune}
    assert visited == {0.4, 0.5, 0.6, 0.7}
    card.close()


def test_concurrent_changes_end_at_the_newest(session):
    card = wb.ui.Card(session)
    for step in range(1, 60):
        session.set(Recipe(Prune(step / 100)))  # reports arrive from the worker meanwhile
    wait_for(card, lambda report: report and report.exact and report.recipe == Recipe(Prune(0.59)))
    assert card.recipe == session.recipe == Recipe(Prune(0.59))
    card.close()


@pytest.mark.slow
def test_closing_a_widget_leaves_the_session_and_frees_the_widget(session):
    card, other = wb.ui.Card(session), wb.ui.Card(session)
    closed = weakref.ref(card)
    card.close()
    card = None
    gc.collect()
    assert closed() is None
    session.set(SMALL)
    wait_for(other, lambda report: report and report.exact and report.recipe == SMALL)
    other.close()


def test_closing_the_dashboard_closes_its_session():
    widget = wb.dashboard(MODEL)
    widget.close()
    assert widget.session._state.closed


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda session: wb.ui.Controls(session, "quantize.bit"), "quantize.bits"),
        (lambda session: wb.ui.Controls(session, "prune.layers"), "prune.sparsity"),
        (lambda session: wb.ui.Tab(session, "weights"), "bytes, "),
    ],
)
def test_an_unknown_name_is_one_sentence_with_the_choices(session, make, names):
    with raises("name.unknown_panel", names):
        make(session)


def test_the_tabs_of_other_tasks_are_not_offered(store):
    session = wb.Session("reviews-lm/gpt", store=store)
    with raises("name.unknown_panel"):
        wb.ui.Tab(session, "teacher")
    session.close()
