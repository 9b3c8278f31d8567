"""Teacher and student see the same examples, and the teacher runs once."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from tests.raises import raises
from workbench.cache.memory import MemoryCache
from workbench.errors import UnknownNameError
from workbench.evaluation.reference import predict
from workbench.training import forward, teacher
from workbench.training.setup import training_setup
from workbench.training.teacher import Teacher

LENET = "fashion/lenet-300-100"
EVERY_EXAMPLE = {"batch": 1000, "steps": 20}
"""As many examples as the training split has: the logits are precomputed."""


@pytest.fixture
def teacher_calls(monkeypatch):
    """Record the inputs of all teachers, with an empty cache."""
    monkeypatch.setattr(teacher, "_cache", MemoryCache(9))
    calls = []
    predict = Teacher.predict

    def recorded(self, inputs):
        calls.append(inputs)
        return predict(self, inputs)

    monkeypatch.setattr(Teacher, "predict", recorded)
    return calls


@pytest.fixture
def losses(monkeypatch):
    """Record the arguments of all losses."""
    arguments = []
    objective = forward.objective

    def recorded(settings, outputs, labels, taught):
        arguments.append((outputs.detach(), labels, taught))
        return objective(settings, outputs, labels, taught)

    monkeypatch.setattr(forward, "objective", recorded)
    return arguments


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("amount", [{"batch": 32}, {"batch": 600}, EVERY_EXAMPLE], ids=str)
def test_teacher_and_student_see_the_same_batch(
    shift, amount, start_run, make_recipe, finish, teacher_calls, losses
):
    run = start_run(
        make_recipe(teacher="self", shift=shift, dropout=0.5, learning_rate=0.01, **amount)
    )
    before = len(teacher_calls)
    shown = []
    run.module.register_forward_pre_hook(lambda _module, args: shown.append(args[0]))
    finish(run)
    assert len(shown) == len(losses) >= 4
    alone = wb.model(LENET)
    module = alone.module().eval()
    for inputs, (_outputs, _labels, taught) in zip(shown, losses, strict=True):
        with torch.no_grad():
            expected = torch.func.functional_call(module, alone.weights(), (inputs,), strict=True)
        torch.testing.assert_close(taught, expected, rtol=1e-4, atol=1e-4)
    if amount is EVERY_EXAMPLE and not shift:
        assert len(teacher_calls) == before
    else:
        seen = teacher_calls[before:]
        assert all(batch.tensors[0] is other for batch, other in zip(seen, shown, strict=True))


def test_labels_belong_to_the_inputs(start_run, make_recipe, finish, losses):
    run = start_run(make_recipe(teacher="self"))
    label_of = {image.tobytes(): label for image, label in zip(
        run.setup.examples, run.setup.labels, strict=True)}  # fmt: skip
    shown = []
    run.module.register_forward_pre_hook(lambda _module, args: shown.append(args[0]))
    finish(run)
    for inputs, (_outputs, labels, _taught) in zip(shown, losses, strict=True):
        images = (inputs * 255).round().to(torch.uint8).squeeze(1).numpy()
        assert [int(label_of[image.tobytes()]) for image in images] == labels.tolist()


@pytest.mark.slow
def test_a_teacher_runs_once_for_all_students(start_run, make_recipe, finish, teacher_calls):
    first = start_run(make_recipe(teacher=LENET, **EVERY_EXAMPLE), most=20_000)
    examples = sum(len(inputs) for inputs in teacher_calls)
    assert examples == len(wb.task("fashion").split("train")) == 20_000
    finish(first)
    second = start_run(make_recipe(teacher="self", temperature=2, **EVERY_EXAMPLE), most=20_000)
    finish(second)
    assert sum(len(inputs) for inputs in teacher_calls) == examples
    assert second.setup.teacher.cached is first.setup.teacher.cached


@pytest.mark.slow
def test_teacher_logits_do_not_depend_on_threads(make_recipe, threads, monkeypatch):
    logits = []
    for count in (1, 2):
        threads(count)
        monkeypatch.setattr(teacher, "_cache", MemoryCache(9))
        recipe = make_recipe(teacher=LENET, **EVERY_EXAMPLE)
        logits.append(training_setup(wb.model(LENET), recipe).teacher.cached)
    assert torch.equal(*logits)


def test_a_teacher_is_not_trained(start_run, make_recipe, finish, same):
    model = wb.model("fashion/resnet")
    taught = Teacher(model.module(), model.weights())
    before = {key: weight.clone() for key, weight in model.weights().items()}
    run = start_run(make_recipe(shift=1, learning_rate=0.1), teacher=taught)
    finish(run)
    assert same(taught.weights, before)  # including running statistics of batch norm
    assert not taught.module.training
    assert not taught.predict(torch.zeros(2, 1, 28, 28)).requires_grad


@pytest.mark.parametrize("name", ["fashion/lenet6", "lenet5", "speech/lenet5", "Self", " "])
def test_an_unknown_teacher_is_rejected(name, make_recipe):
    recipe = make_recipe(teacher=name)
    with pytest.raises(UnknownNameError) as raised:
        wb.compress(wb.model(LENET), recipe)
    message = str(raised.value)
    assert repr(name) in message or name in message
    assert "fashion/lenet5" in message  # an existing choice
    assert "\n" not in message


def test_a_teacher_of_another_task_is_rejected():
    with raises("training.teacher_task", "fashion/lenet5", "reviews"):
        teacher.load_teacher("fashion/lenet5", wb.model("reviews/bag"))


@pytest.mark.parametrize("shift", [0, 1])
@pytest.mark.parametrize("matching", ["soft_targets", "logits"])
def test_a_student_that_learns_from_itself_hardly_changes(
    matching, shift, start_run, make_recipe, finish, artifact_of
):
    recipe = make_recipe(
        prune={"sparsity": 0}, teacher="self", mix=1, matching=matching, shift=shift, steps=10,
        learning_rate=1e-4,
    )  # fmt: skip
    run = start_run(recipe)
    events = finish(run)
    assert events[0].loss == pytest.approx(0, abs=1e-5)
    model = wb.model(LENET)
    split = model.task.split("validation")
    images, labels = split.examples[:1000], split.labels[:1000]
    before, after = (
        int((predict(model, weights, images) == labels).sum())
        for weights in (model.weights(), artifact_of(run, recipe).weights())
    )
    assert abs(after - before) <= 10


def test_a_student_approaches_its_teacher(start_run, make_recipe, finish):
    recipe = make_recipe(
        prune={"sparsity": 0.95}, teacher="self", mix=1, steps=30, batch=64,
        learning_rate=0.01, schedule="constant",
    )  # fmt: skip
    events = finish(start_run(recipe))
    first, last = (sum(m.loss for m in part) for part in (events[:5], events[-5:]))
    assert last < 0.7 * first


def test_gradients_of_trained_weights_cannot_prune_initial_ones(make_recipe):
    with raises("recipe.calibration_from_scratch"):
        make_recipe(prune={"sparsity": 0.5, "criterion": "gradient"}, start="scratch")


@pytest.mark.slow
def test_a_compressed_teacher_has_the_weights_of_its_file(make_recipe, teacher_calls):
    student = wb.model(LENET)
    compressed = wb.Recipe(prune=wb.Prune(0.9), quantize=wb.Quantize(3))
    named = "fashion/lenet5?prune.sparsity=0.9&quantize.bits=3"
    recipe = make_recipe(teacher=named, **EVERY_EXAMPLE)
    taught = training_setup(student, recipe).teacher
    weights = wb.compress(wb.model("fashion/lenet5"), compressed).weights()
    alone = Teacher(wb.model("fashion/lenet5").module(), weights)
    images = student.task.split("train").examples
    assert torch.equal(taught.cached[:250], alone.predict(student.task.inputs(images[:250])))


@pytest.mark.parametrize(
    ("named", "code", "fact"),
    [
        ("fashion/lenet5?train.steps=5", "training.teacher_trains", "lenet5"),
        ("fashion/lenet5?prune.sparsity=7", "training.teacher_recipe", "prune.sparsity"),
        ("fashion/lenet5?prune.layers=nothing:0.5", "recipe.unknown_layer", "nothing"),
        ("fashion/lenet5?m=fashion/resnet", "training.teacher_named_twice", "m=fashion/resnet"),
        ("fashion/nobody?prune.sparsity=0.5", "name.unknown", "fashion/nobody"),
    ],
)
def test_an_invalid_teacher_is_rejected(named, code, fact, make_recipe):
    with raises(code, fact) as caught:
        training_setup(wb.model(LENET), make_recipe(teacher=named))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_logits_that_are_too_large_are_computed_in_each_step(
    start_run, make_recipe, finish, teacher_calls, losses, monkeypatch
):
    monkeypatch.setattr(teacher, "MAX_CACHED_BYTES", 1000)
    run = start_run(make_recipe(teacher="self", **EVERY_EXAMPLE))
    assert run.setup.teacher.cached is None
    assert sum(len(inputs) for inputs in teacher_calls) <= teacher.BATCH
    finish(run)
    alone = wb.model(LENET)
    module = alone.module().eval()
    for inputs, (_outputs, _labels, taught) in zip(teacher_calls[1:], losses, strict=True):
        with torch.no_grad():
            expected = torch.func.functional_call(module, alone.weights(), inputs.tensors)
        torch.testing.assert_close(taught, expected, rtol=1e-4, atol=1e-4)
