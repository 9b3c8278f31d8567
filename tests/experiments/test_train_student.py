"""A shipped student that is trained again: the same bytes on the same kind of machine."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.experiments import train_student as module
from workbench.experiments.machine import machine_kind
from workbench.experiments.train_student import TrainedStudent
from workbench.zoo.students import table

NAME = "fashion/mlp-32.lenet5.t4.labels5"
TRAIN = f"""
import json, workbench as wb
result = wb.train_student(wb.student({NAME!r}))
print(json.dumps([result.artifact.digest, result.score.value, result.same, result.summary]))
"""

SHORTEN = """\
from dataclasses import replace
from workbench.zoo.students import Student
complete = Student.recipe.fget
def short(student):
    recipe = complete(student)
    return replace(recipe, train=replace(recipe.train, steps=40))
Student.recipe = property(short)
"""


@pytest.mark.slow
def test_another_process_trains_the_same_bytes():
    """They are those of the shipped file on its kind of machine.

    Elsewhere, two processes agree after fewer steps.
    """
    expected = machine_kind(1) == table()["machine"]
    command = [sys.executable, "-c", TRAIN if expected else SHORTEN + TRAIN]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(1 if expected else 2)]
    results = [json.loads(run.communicate()[0]) for run in runs]
    assert results[0] == results[-1]
    digest, value, same, summary = results[0]
    card = wb.student(NAME).card
    assert same == (digest == card.digest)
    assert not expected or (same and value == card.value)
    assert f"{100 * value:.1f}"[:3] in summary


def result(student, artifact, **changes):
    here = table()["machine"] | changes
    score = wb.measure(wb.model(student.name), wb.Recipe(), timed=False).score
    differences = {
        name: (str(value), str(here[name]))
        for name, value in table()["machine"].items()
        if value != here[name]
    }
    return TrainedStudent(student, artifact, score, differences)


def test_the_shipped_file_is_recognized():
    student = wb.student(NAME)
    shipped = result(student, wb.load(student.path))
    assert shipped.same
    assert "byte for byte" in shipped.summary


def test_another_file_is_reported_with_both_values_and_the_reason():
    student = wb.student(NAME)
    other = Artifact.from_bytes(student.alone.path.read_bytes())
    trained = result(student, other, torch="1.0", processor="Abacus")
    assert not trained.same
    shipped = f"{100 * student.card.value:.2f}"
    assert shipped in trained.summary
    assert "PyTorch (1.0 instead of" in trained.summary
    assert "processor (Abacus instead of" in trained.summary
    unexplained = result(student, other)
    assert "differs" not in unexplained.summary


def test_the_machine_is_compared_with_the_one_of_the_table(monkeypatch):
    student = wb.student(NAME)
    monkeypatch.setattr(module, "compress", lambda *args, **kwargs: wb.load(student.path))
    monkeypatch.setattr(module, "machine_kind", lambda threads: table()["machine"] | {"torch": "0"})
    assert module.train_student(student).differences == {
        "torch": (table()["machine"]["torch"], "0")
    }


@pytest.mark.slow
def test_it_trains_even_if_a_file_is_cached_and_can_be_cancelled():
    student = wb.student(NAME)
    events = []
    with pytest.raises(Cancelled):
        wb.train_student(
            student, on_step=events.append, cancel=CancelToken(lambda: len(events) >= 3)
        )
    assert len(events) == 3
    assert replace(student, labels=1.0).recipe != student.recipe
