"""The app loads PyTorch when the user is about to change something, not when it opens."""

from __future__ import annotations

import subprocess
import sys

import pytest

import workbench as wb
from tests.panels.conftest import Client
from workbench.session import Session


@pytest.fixture
def visitor(store):
    client = Client(Session("fashion/lenet-300-100", store=store, postpone=True))
    client.act("hello", search="", theme="light")
    yield client
    client.dashboard.close()


def test_the_card_shows_the_original_without_measuring(visitor):
    state = visitor.last("state")
    assert state["numbers"]["exact"]
    assert not state["busy"]
    assert visitor.session.postponed


def test_the_figures_of_the_model_card_are_shown_at_once(store):
    client = Client(Session("reviews-lm/gpt", store=store, postpone=True))
    client.act("hello", search="", theme="light")
    facts = {fact["label"]: fact["value"] for fact in client.last("state")["numbers"]["facts"]}
    client.dashboard.close()
    assert (facts["perplexity"], facts["top-1 accuracy"]) == ("2.827", "68.5\u202f%")
    assert facts["nonzero parameters"] == "638,592 of 638,592"


@pytest.mark.slow
@pytest.mark.parametrize("student", [None, "fashion/mlp-32.resnet.t4.labels1"])
def test_the_figures_of_the_original_are_the_same_before_and_after_it_is_measured(visitor, student):
    session = visitor.session
    facts = visitor.last("state")["numbers"]["facts"]
    assert [fact["label"] for fact in facts] == ["zeros", "nonzero parameters", "recall", "F1"]
    original = f"{len(wb.compress(session.origin_model, wb.Recipe())):,}\u202fbytes"
    assert visitor.last("state")["numbers"]["bytes"] == original
    if student is not None:
        session.distill(wb.student(student))
    expected = len(wb.compress(session.model, wb.Recipe()))
    session.set(wb.Recipe(wb.Prune(0.5)))
    visitor.wait_until_idle()
    session.set(wb.Recipe())
    visitor.wait_until_idle()
    numbers, plane = visitor.last("state")["numbers"], visitor.last("state")["plane"]
    if student is None:
        assert numbers["facts"] == facts
    assert numbers["bytes"] == f"{expected:,}\u202fbytes"
    assert numbers["original"] == f"original {original}"
    assert 10 ** plane["you"]["x"] == pytest.approx(expected)
    sizes = [visit.bytes for visit in session.visited if visit.recipe == wb.Recipe()]
    assert sizes == [expected]


def test_opening_a_tab_measures_the_original(visitor):
    visitor.act("tab", key="bytes")
    visitor.wait("tab", lambda message: "figure" in message)
    assert not visitor.session.postponed


def test_a_hand_near_the_settings_warms_up(visitor):
    visitor.act("warm_up")
    assert visitor.session._worker.thread is not None
    assert visitor.session.postponed


@pytest.mark.slow
def test_opening_the_app_loads_no_torch():
    script = (
        "import sys; import workbench as wb; from workbench.panels.actions import ACTIONS;"
        "app = wb.dashboard(); ACTIONS['hello'](app, {'theme': 'light'});"
        "assert not {'torch', 'debugpy'} & set(sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert process.returncode == 0, process.stderr
