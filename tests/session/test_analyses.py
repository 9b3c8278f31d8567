"""What a session finds out about its file: of the present recipe, once, and kept."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.errors import Cancelled, WorkbenchError
from workbench.session import analyses
from workbench.session.analyses import Analyses, AnalysisKey

SMALL = wb.Recipe(prune=wb.Prune(0.8), quantize=wb.Quantize(bits=4))


@pytest.fixture
def real(open_session, until):
    made = open_session("fashion/lenet-300-100", SMALL)
    until(made, lambda: made.settled)
    return made


def test_what_is_found_is_what_python_finds(real):
    told = []
    real.subscribe(lambda session: told.append(session.found("changes")))
    assert real.found("changes") is None
    changes = real.analyze("changes")
    np.testing.assert_array_equal(changes.after, wb.compare(real.model, SMALL).after)
    assert told == [changes]
    assert real.analyze("changes") is changes
    seen = real.analyze("attribution", 3)
    expected = wb.attribution(real.model, SMALL, 3)
    np.testing.assert_allclose(seen.after.attributions, expected.after.attributions, atol=1e-5)
    assert real.found("attribution", 4) is None
    counted = real.analyze("histogram", "fc2.weight")
    assert counted.zeros == wb.histogram(real.model, SMALL, "fc2.weight").zeros


def test_it_belongs_to_its_recipe(real, until):
    before = real.analyze("changes")
    real.set(wb.Recipe(quantize=wb.Quantize(bits=8)))
    assert real.found("changes") is None
    until(real, lambda: real.settled)
    assert len(real.analyze("changes").flipped) < len(before.flipped)
    real.undo()
    assert real.found("changes") is before


def test_one_file_serves_all_questions(real, monkeypatch):
    made = []
    kept = analyses.ANALYZERS["histogram"]

    def note(model, artifact, *more):
        made.append(artifact)
        return kept(model, artifact, *more)

    monkeypatch.setitem(analyses.ANALYZERS, "histogram", note)
    for layer in real.layers:
        real.analyze("histogram", layer)
    assert len(made) == len(real.layers) > 1
    assert len({id(artifact) for artifact in made}) == 1


def test_only_the_newest_are_kept(monkeypatch, session):
    monkeypatch.setattr(analyses, "MAX_CACHED", 3)
    monkeypatch.setitem(analyses.ANALYZERS, "echo", lambda model, artifact, of, *more: of)
    found = Analyses()
    for number in range(1, 6):
        found.find(session.model, wb.Recipe(), AnalysisKey("echo", number), bool, print)
    about = analyses.file_key(session.model, wb.Recipe())
    kept = [number for number in range(1, 6) if found.get(about, AnalysisKey("echo", number))]
    assert kept == [3, 4, 5]


def test_a_file_that_was_never_trained_is_not_compared(session, stage, until):
    stage.failure = WorkbenchError("Training diverged.")
    session.set(wb.Recipe(train=wb.Train(steps=3)))
    until(session, lambda: session.error)
    with pytest.raises(WorkbenchError, match="not trained yet"):
        session.analyze("changes")


def test_a_cancel_and_a_close_are_heard(real):
    with pytest.raises(Cancelled):
        real.analyze("changes", cancelled=lambda: True)
    real.close()
    with pytest.raises(Cancelled):
        real.analyze("changes")


@pytest.mark.parametrize(("kind", "of"), [("attribution", 10**6), ("histogram", "nowhere")])
def test_what_is_not_there_is_a_sentence(real, kind, of):
    with pytest.raises(WorkbenchError, match="There is no"):
        real.analyze(kind, of)


def test_what_is_looked_at_is_remembered_but_not_for_another_model(session):
    session.set_focus(view="weights", layer="fc2.weight", example=7)
    assert session.focus.layer == "fc2.weight"
    session.choose_model("fashion/lenet5")
    assert session.focus.view == "weights"
    assert session.focus.layer is None
    assert session.focus.example == 7
