"""The shipped students: their files, their table, and the models of that name."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

import workbench as wb
from tests.raises import raises
from workbench.checkpoints.students import teacher_examples as recomputed
from workbench.evaluation.intervals import wilson
from workbench.evaluation.model_card import figures_entry
from workbench.evaluation.scores import reference_score
from workbench.recipe import Prune, Quantize, Recipe
from workbench.zoo import registry
from workbench.zoo.student_model import MOST_LOADED, _weights
from workbench.zoo.students import (
    NETWORKS,
    SHARES,
    STUDENTS,
    TEACHERS,
    TEMPERATURES,
    Student,
    find_student,
    nearest,
)
from workbench.zoo.teacher_examples import EXAMPLES, teacher_examples

ALL = wb.students()
NAME = "fashion/mlp-32.resnet.t4.labels5"
SIX_MEGABYTES = 6_000_000


def test_there_is_one_for_each_choice():
    taught = {(s.network, s.teacher, s.temperature, s.labels) for s in ALL if s.teacher}
    choices = [
        (n, t, x, s) for n in NETWORKS for t in TEACHERS for x in TEMPERATURES for s in SHARES
    ]
    assert taught == set(choices)
    assert {(s.network, s.labels) for s in ALL if not s.teacher} == {
        (n, s) for n in NETWORKS for s in SHARES
    }
    assert len(ALL) == 66
    assert wb.students(NETWORKS[0]) == tuple(s for s in ALL if s.network == NETWORKS[0])


def test_they_have_the_bytes_of_the_table_and_fit_into_six_megabytes():
    sizes = {student.path.name: student.path.stat().st_size for student in ALL}
    assert sizes == {student.path.name: student.card.bytes for student in ALL}
    assert {path.name for path in STUDENTS.glob("*.safetensors")} == set(sizes)
    assert sum(path.stat().st_size for path in STUDENTS.iterdir()) <= SIX_MEGABYTES


@pytest.mark.parametrize("student", ALL, ids=lambda student: student.name)
def test_the_file_holds_its_recipe_and_digest(student):
    artifact = wb.load(student.path)
    assert (artifact.model, artifact.recipe) == (student.network, student.recipe)
    assert artifact.digest == student.card.digest == wb.model(student.name).digest
    assert artifact.recipe.train.seed == 0
    assert artifact.recipe.train.threads == 1
    card = student.card
    assert card.interval == pytest.approx(wilson(**_counts(card)), abs=1e-6)


def _counts(card):
    return card.accuracy["validation"]


@pytest.mark.slow
@pytest.mark.parametrize("student", ALL, ids=lambda student: student.name)
def test_the_table_has_the_accuracy_of_the_file(student):
    model = wb.model(student.name)
    weights = wb.load(student.path).operands()
    score = reference_score(model, weights, model.task.split("validation"))
    assert score.value == student.card.value == model.metric_value("validation")
    assert model.card["figures"] == figures_entry(model, weights, score)


@pytest.mark.slow
def test_the_names_are_those_of_models_everywhere(tmp_path):
    student = wb.student(NAME)
    assert student == Student("fashion/mlp-32", "fashion/resnet", 4.0, 0.05)
    assert student.name == NAME
    assert student.alone.name == "fashion/mlp-32.alone.labels5"
    assert find_student("fashion/mlp-32") is None
    assert NAME not in wb.models()
    assert registry.title(NAME) == student.title == wb.model(NAME).title
    query = wb.recipe.link.to_query(NAME, Recipe(Prune(0.5)))
    assert wb.recipe.link.from_query(query)[0] == NAME
    path = wb.compress(wb.model(NAME), Recipe(Quantize(4))).save(tmp_path / "small.safetensors")
    code = f"import workbench as wb; print(wb.evaluate(wb.load({str(path)!r})).bytes)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert int(output.stdout) == path.stat().st_size
    assert wb.to_module(path).fc1.weight.shape == (32, 784)


def test_a_model_of_a_student_has_the_weights_of_its_file():
    model, network = wb.model(NAME), wb.model("fashion/mlp-32")
    file = wb.load(wb.student(NAME).path).weights()
    assert all(torch.equal(file[name], weight) for name, weight in model.weights().items())
    assert not torch.equal(model.weights()["fc1.weight"], network.weights()["fc1.weight"])
    assert (model.task, model.layers) == (network.task, network.layers)
    assert model.original_bytes == network.original_bytes
    sparse = wb.compress(model, Recipe(Prune(0.5)))
    left = sparse.weights()["fc1.weight"]
    assert torch.equal(left, torch.where(left == 0, left, file["fc1.weight"]))
    assert wb.measure(model, Recipe(), timed=False).value == wb.student(NAME).card.value


def test_a_student_can_be_trained_further_and_narrower():
    model = wb.model(NAME)
    tuned = wb.compress(model, Recipe(train=wb.Train(1, threads=1)))
    assert tuned.model == NAME
    narrow = wb.Train(1, start="scratch", width=0.5, threads=1)
    assert wb.compress(model, Recipe(train=narrow)).weights()["fc1.weight"].shape == (16, 784)


def test_the_weights_in_memory_are_bounded():
    assert wb.model(NAME).weights()["fc1.weight"] is wb.model(NAME).weights()["fc1.weight"]
    for student in wb.students()[: MOST_LOADED + 1]:
        wb.model(student.name).weights()
    assert len(_weights) == MOST_LOADED


def test_a_damaged_file_is_one_error(tmp_path):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(wb.student(NAME).path.read_bytes()[:-1])
    model = wb.model(NAME)
    damaged = replace(model, architecture=replace(model.architecture, path=path))
    with raises("model.checkpoint_damaged", path.name):
        damaged.weights()


def test_a_missing_table_is_one_error(monkeypatch, tmp_path):
    from workbench.zoo import students

    monkeypatch.setattr(students, "TABLE", tmp_path / "none.json")
    students.table.cache_clear()
    with raises("model.students_damaged", "--students"):
        _ = wb.student(NAME).card
    monkeypatch.undo()
    students.table.cache_clear()
    assert wb.student(NAME).card.bytes


def test_the_nearest_temperature():
    assert [nearest(t) for t in (0.5, 1, 1.3, 1.5, 3, 5, 6, 12, 20)] == [
        1,
        1,
        1,
        2,
        4,
        4,
        8,
        16,
        16,
    ]


@pytest.mark.slow
@pytest.mark.parametrize("teacher", TEACHERS)
def test_the_examples_have_the_logits_of_the_teacher(teacher):
    examples = teacher_examples(teacher)
    assert len(examples) == 24
    split = wb.task("fashion").split("validation")
    assert [e.label for e in examples] == [int(split.labels[e.index]) for e in examples]
    assert set(range(10)) == {e.label for e in examples}
    assert examples[0].image.shape == (28, 28)
    fresh = recomputed([*TEACHERS])[teacher]
    assert [e.index for e in examples] == [e["index"] for e in fresh]
    for example, again in zip(examples, fresh, strict=True):
        assert example.logits == pytest.approx(again["logits"], abs=2e-4)
    assert EXAMPLES.stat().st_size < 20_000


def test_another_teacher_has_no_examples():
    with raises("name.unknown", "fashion/resnet"):
        teacher_examples("fashion/mlp-32")


def test_students_are_known_without_torch():
    code = (
        "import sys, workbench as wb; from workbench.zoo.teacher_examples import teacher_examples;"
        f"wb.student({NAME!r}).card, wb.student({NAME!r}).recipe, wb.model({NAME!r}).title;"
        "teacher_examples('fashion/resnet')[0].image; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
