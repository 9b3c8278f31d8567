"""What a search has measured, under other limits: nothing is claimed that was not measured."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.study.optimize import optimize
from workbench.study.other_limits import under
from workbench.zoo.students import students

pytestmark = pytest.mark.usefixtures("fresh", "processor_time")


@pytest.fixture
def found(tiny, monkeypatch):
    monkeypatch.setattr("workbench.study.limited_search.PATIENCE", 8)
    return optimize(tiny, max_bytes=20_000, min_accuracy=0.8, seconds=1)


def test_the_best_under_other_limits_is_one_of_the_measured(found):
    exact = [trial for trial in found.result.trials if trial.exact]
    same = under(found, 20_000, 0.8)
    assert same.choices == found.choices
    assert same.met
    large = max(exact, key=lambda trial: trial.value)
    accurate = under(found, None, large.accuracy)
    assert accurate.met
    assert accurate.best.value == large.value
    assert f"{accurate.best.bytes:,}" in accurate.reasons[0].replace("\u202f", ",")
    smallest = min(trial.bytes for trial in exact)
    impossible = under(found, smallest - 1, 0.8)
    assert not impossible.met
    assert len(impossible.choices) == 1
    assert impossible.best in exact
    assert any("above the limit" in text or "below" in text for text in impossible.reasons)
    assert not any("more seconds" in text for text in impossible.reasons)
    assert under(found, 20_000, 0.8, 1e-6).met is False  # its energy is not known


def test_a_student_is_not_called_the_original(found):
    chosen = next(student for student in students() if student.teacher)
    result = optimize(wb.model(chosen.name), min_accuracy=0.1, seconds=0.1)
    text = " ".join(result.reasons)
    assert "original" not in text
    assert f"the {chosen.short_title}" in result.reasons[0]
    figure = str(result.plot().figure)
    assert chosen.short_title in figure
    assert "'original'" not in figure.replace("'name': 'original'", "")
    assert "than the original" in found.reasons[0]
