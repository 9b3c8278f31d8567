"""Analyses of a session's file: computed once for the current recipe, and cached."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.cancel import NEVER, CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.session import analyses
from workbench.session.analyses import Analyses, AnalysisKey

SMALL = wb.Recipe(prune=wb.Prune(0.8), quantize=wb.Quantize(bits=4))


@pytest.fixture
def real(open_session, until):
    session = open_session("fashion/lenet-300-100", SMALL)
    until(session, lambda: session.settled)
    return session


def test_an_analysis_equals_the_one_of_the_python_api(real):
    notified = []
    real.subscribe(lambda session: notified.append(session.analysis("comparison")))
    assert real.analysis("comparison") is None
    comparison = real.analyze("comparison")
    np.testing.assert_array_equal(comparison.after, wb.compare(real.model, SMALL).after)
    assert notified == [comparison]
    assert real.analyze("comparison") is comparison
    attribution = real.analyze("attribution", 3)
    expected = wb.attribution(real.model, SMALL, 3)
    np.testing.assert_allclose(
        attribution.after.attributions, expected.after.attributions, atol=1e-5
    )
    assert real.analysis("attribution", 4) is None
    histogram = real.analyze("histogram", "fc2.weight")
    assert histogram.zeros == wb.histogram(real.model, SMALL, "fc2.weight").zeros


def test_an_analysis_belongs_to_its_recipe(real, until):
    before = real.analyze("comparison")
    real.set(wb.Recipe(quantize=wb.Quantize(bits=8)))
    assert real.analysis("comparison") is None
    until(real, lambda: real.settled)
    assert len(real.analyze("comparison").flipped) < len(before.flipped)
    real.undo()
    assert real.analysis("comparison") is before


def test_one_artifact_serves_all_analyses(real, monkeypatch):
    artifacts = []
    original = analyses.ANALYZERS["histogram"]

    def note(model, artifact, *more):
        artifacts.append(artifact)
        return original(model, artifact, *more)

    monkeypatch.setitem(analyses.ANALYZERS, "histogram", note)
    for layer in real.layers:
        real.analyze("histogram", layer)
    assert len(artifacts) == len(real.layers) > 1
    assert len({id(artifact) for artifact in artifacts}) == 1


def test_only_the_newest_are_cached(monkeypatch, session):
    monkeypatch.setattr(analyses, "MAX_CACHED", 3)
    monkeypatch.setitem(analyses.ANALYZERS, "echo", lambda model, artifact, target, *more: target)
    cache = Analyses()
    for number in range(1, 6):
        cache.compute(session.model, wb.Recipe(), AnalysisKey("echo", number), NEVER)
    file = analyses.file_key(session.model, wb.Recipe())
    cached = [number for number in range(1, 6) if cache.get(file, AnalysisKey("echo", number))]
    assert cached == [3, 4, 5]


def test_an_untrained_file_is_not_compared(session, fake, until):
    fake.failure = WorkbenchError("Training diverged.")
    session.set(wb.Recipe(train=wb.Train(steps=3)))
    until(session, lambda: session.error)
    with raises("session.not_trained"):
        session.analyze("comparison")


def test_cancelling_and_closing_end_an_analysis(real):
    with pytest.raises(Cancelled):
        real.analyze("comparison", cancel=CancelToken(lambda: True))
    real.close()
    with pytest.raises(Cancelled):
        real.analyze("comparison")


@pytest.mark.parametrize(
    ("kind", "target", "code"),
    [
        ("attribution", 10**6, "argument.unknown_example"),
        ("histogram", "nowhere", "recipe.unknown_layer"),
    ],
)
def test_an_unknown_example_or_layer_is_a_clear_error(real, kind, target, code):
    with raises(code):
        real.analyze(kind, target)


def test_the_focus_is_kept_except_the_layer_of_another_model(session):
    session.set_focus(view="weights", layer="fc2.weight", example=7)
    assert session.focus.layer == "fc2.weight"
    session.choose_model("fashion/lenet5")
    assert session.focus.view == "weights"
    assert session.focus.layer is None
    assert session.focus.example == 7
