"""Teacher and student see the same examples, and the teacher is asked once."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from workbench.cache.memory import MemoryCache
from workbench.errors import RecipeError, UnknownNameError
from workbench.evaluation.reference import predict
from workbench.training import teacher
from workbench.training.setup import training_setup
from workbench.training.teacher import Teacher

LENET = "fashion/lenet-300-100"


@pytest.fixture
def asked_of(monkeypatch):
    """Note what every teacher is asked from now on; nobody knows anything yet."""
    monkeypatch.setattr(teacher, "_kept", MemoryCache(9))
    asked = []
    plain = Teacher.on

    def noted(self, inputs):
        asked.append(inputs)
        return plain(self, inputs)

    monkeypatch.setattr(Teacher, "on", noted)
    return asked


@pytest.fixture
def losses(monkeypatch):
    """Note what every loss is made of."""
    made = []
    from workbench.training import run

    plain = run.objective

    def noted(settings, outputs, labels, taught):
        made.append((outputs.detach(), labels, taught))
        return plain(settings, outputs, labels, taught)

    monkeypatch.setattr(run, "objective", noted)
    return made


@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("batch", [32, 600])
def test_both_see_the_same_batch(shift, batch, begun, recipe, finish, sparsity_of, losses):
    run = begun(recipe(teacher="self", shift=shift, batch=batch, dropout=0.5, learning_rate=0.01))
    known = len(sparsity_of)
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
    if shift:
        moved = sparsity_of[known:]
        assert all(one.tensors[0] is other for one, other in zip(moved, shown, strict=True))
    else:
        assert len(sparsity_of) == known


def test_labels_belong_to_the_inputs(begun, recipe, finish, losses):
    run = begun(recipe(teacher="self"))
    numbers = {image.tobytes(): label for image, label in zip(
        run.setup.examples, run.setup.labels, strict=True)}  # fmt: skip
    shown = []
    run.module.register_forward_pre_hook(lambda _module, args: shown.append(args[0]))
    finish(run)
    for inputs, (_outputs, labels, _taught) in zip(shown, losses, strict=True):
        images = (inputs * 255).round().to(torch.uint8).squeeze(1).numpy()
        assert [int(numbers[image.tobytes()]) for image in images] == labels.tolist()


def test_a_teacher_is_asked_once_for_all_students(begun, recipe, finish, sparsity_of):
    first = begun(recipe(teacher=LENET), most=20_000)
    examples = sum(len(inputs) for inputs in sparsity_of)
    assert examples == len(wb.task("fashion").split("train")) == 20_000
    finish(first)
    second = begun(recipe(teacher="self", temperature=2, batch=64), most=20_000)
    finish(second)
    assert sum(len(inputs) for inputs in sparsity_of) == examples
    assert second.setup.teacher.known is first.setup.teacher.known


def test_what_a_teacher_says_does_not_depend_on_threads(recipe, threads, monkeypatch):
    said = []
    for count in (1, 2):
        threads(count)
        monkeypatch.setattr(teacher, "_kept", MemoryCache(9))
        said.append(training_setup(wb.model(LENET), recipe(teacher=LENET)).teacher.known)
    assert torch.equal(*said)


def test_a_teacher_learns_nothing(begun, recipe, finish, same):
    model = wb.model("fashion/resnet")
    taught = Teacher(model.module(), model.weights())
    before = {key: weight.clone() for key, weight in model.weights().items()}
    run = begun(recipe(shift=1, learning_rate=0.1), teacher=taught)
    finish(run)
    assert same(taught.weights, before)  # running statistics of batch norm among them
    assert not taught.module.training
    assert not taught.on(torch.zeros(2, 1, 28, 28)).requires_grad


@pytest.mark.parametrize("name", ["fashion/lenet6", "lenet5", "speech/lenet5", "Self", " "])
def test_an_unknown_teacher_is_one_sentence(name, recipe):
    asked = recipe(teacher=name)
    with pytest.raises(UnknownNameError) as raised:
        wb.compress(wb.model(LENET), asked)
    message = str(raised.value)
    assert repr(name) in message or name in message
    assert "fashion/lenet5" in message  # a choice that there is
    assert "\n" not in message


def test_a_teacher_of_another_task_is_refused():
    with pytest.raises(RecipeError, match=r"another task .* choose one of reviews"):
        teacher.load_teacher("fashion/lenet5", wb.model("reviews/bag"))


@pytest.mark.parametrize("shift", [0, 1])
@pytest.mark.parametrize("matching", ["soft targets", "logits"])
def test_who_learns_from_oneself_stays_about_the_same(
    matching, shift, begun, recipe, finish, filed
):
    asked = recipe(
        prune={"sparsity": 0}, teacher="self", mix=1, matching=matching, shift=shift, steps=10,
        learning_rate=1e-4,
    )  # fmt: skip
    run = begun(asked)
    moments = finish(run)
    assert moments[0].loss == pytest.approx(0, abs=1e-5)
    model = wb.model(LENET)
    split = model.task.split("validation")
    images, labels = split.examples[:1000], split.labels[:1000]
    before, after = (
        int((predict(model, weights, images) == labels).sum())
        for weights in (model.weights(), filed(run, asked).weights())
    )
    assert abs(after - before) <= 10


def test_a_student_comes_closer_to_its_teacher(begun, recipe, finish):
    asked = recipe(
        prune={"sparsity": 0.95}, teacher="self", mix=1, steps=30, batch=64,
        learning_rate=0.01, schedule="constant",
    )  # fmt: skip
    moments = finish(begun(asked))
    first, last = (sum(m.loss for m in part) for part in (moments[:5], moments[-5:]))
    assert last < 0.7 * first


def test_gradients_of_trained_weights_prune_no_fresh_ones(recipe):
    with pytest.raises(RecipeError, match="train from the trained weights"):
        recipe(prune={"sparsity": 0.5, "criterion": "gradient"}, start="scratch")


def test_a_compressed_model_teaches_what_its_file_says(recipe, sparsity_of):
    student = wb.model(LENET)
    compressed = wb.Recipe(prune=wb.Prune(0.9), quantize=wb.Quantize(3))
    named = "fashion/lenet5?prune.sparsity=0.9&quantize.bits=3"
    taught = training_setup(student, recipe(teacher=named)).teacher
    weights = wb.compress(wb.model("fashion/lenet5"), compressed).weights()
    alone = Teacher(wb.model("fashion/lenet5").module(), weights)
    images = student.task.split("train").examples
    assert torch.equal(taught.known[:250], alone.on(student.task.inputs(images[:250])))


@pytest.mark.parametrize(
    ("named", "error", "words"),
    [
        ("fashion/lenet5?train.steps=5", RecipeError, "would have to be trained first"),
        ("fashion/lenet5?prune.sparsity=7", RecipeError, "prune.sparsity must be a number"),
        ("fashion/lenet5?prune.layers=nothing:0.5", RecipeError, "nothing"),
        ("fashion/lenet5?m=fashion/resnet", RecipeError, "leave out m=fashion/resnet"),
        ("fashion/nobody?prune.sparsity=0.5", UnknownNameError, "fashion/nobody"),
    ],
)
def test_a_teacher_that_cannot_be_is_one_sentence(named, error, words, recipe):
    with pytest.raises(error, match=words) as caught:
        training_setup(wb.model(LENET), recipe(teacher=named))
    assert "\n" not in str(caught.value)


def test_logits_too_many_to_keep_are_computed_by_each_step(
    begun, recipe, finish, sparsity_of, losses, monkeypatch
):
    monkeypatch.setattr(teacher, "MAX_CACHED_BYTES", 1000)
    run = begun(recipe(teacher="self"))
    assert run.setup.teacher.known is None
    assert sum(len(inputs) for inputs in sparsity_of) <= teacher.BATCH
    finish(run)
    alone = wb.model(LENET)
    module = alone.module().eval()
    for inputs, (_outputs, _labels, taught) in zip(sparsity_of[1:], losses, strict=True):
        with torch.no_grad():
            expected = torch.func.functional_call(module, alone.weights(), inputs.tensors)
        torch.testing.assert_close(taught, expected, rtol=1e-4, atol=1e-4)
