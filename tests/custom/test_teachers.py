"""User models as teachers of other models on the same data."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from joblib.externals.loky.backend.reduction import dumps
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import workbench as wb
from tests.raises import raises
from workbench.experiments.job import Job, run_job, run_job_with_teacher, user_teacher
from workbench.training.teacher_ref import compatible_teachers
from workbench.zoo import registry

SPLITS = ("train", "validation", "test")
COUNT = 60


def points(classes=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(COUNT, 6, generator=generator), torch.arange(COUNT) % classes


def network(width=3, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, width))


def linear(width=3):
    torch.manual_seed(1)
    return nn.Linear(6, width)


def make_model(module, data, name, **others):
    splits = data if isinstance(data, dict) else dict.fromkeys(SPLITS, data)
    return wb.from_module(module, **splits, name=name, **others)


def distill(student, teacher, **settings):
    return wb.train(
        student, steps=1, teacher=teacher, mix=1.0, temperature=2.0, optimizer="sgd",
        schedule="constant", learning_rate=0.5, batch=COUNT, **settings,
    )  # fmt: skip


KINDS = {
    "the same tensors": lambda x, y: (x, y),
    "a loader": lambda x, y: DataLoader(TensorDataset(x, y), 7, shuffle=True),
    "arrays": lambda x, y: (x.double().numpy(), y.numpy().astype(np.int32)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("argument", ["model", "name"])
def test_a_user_model_teaches_another(kind, argument):
    module, small, (inputs, labels) = network(), linear(), points()
    big = make_model(module, KINDS[kind](inputs, labels), "big")
    student = make_model(small, (inputs, labels), "small")
    artifact = distill(student, big if argument == "model" else "custom/big")
    assert artifact.recipe.train.teacher == "custom/big"
    soft = (module(inputs) / 2).detach().softmax(1)
    loss = -(soft * (small(inputs) / 2).log_softmax(1)).sum(1).mean() * 4
    (slope,) = torch.autograd.grad(loss, small.weight)
    torch.testing.assert_close(
        artifact.weights()["weight"], (small.weight - 0.5 * slope).detach(), atol=1e-6, rtol=1e-5
    )


def test_a_regression_model_as_teacher():
    module, small, (inputs, _labels) = network(), linear(), points()
    data = (inputs, inputs[:, :3])
    big, student = make_model(module, data, "big"), make_model(small, data, "small")
    loss = functional.mse_loss(small(inputs), module(inputs).detach())
    (slope,) = torch.autograd.grad(loss, small.weight)
    weight = distill(student, big).weights()["weight"]
    torch.testing.assert_close(weight, (small.weight - 0.5 * slope).detach(), atol=1e-6, rtol=1e-5)


def test_teacher_and_student_may_differ_in_example_weights_and_class_names():
    inputs, labels = points()
    big = make_model(network(), (inputs, labels), "big", classes=["a", "b", "c"])
    student = make_model(linear(), (inputs, labels, torch.rand(COUNT)), "small")
    assert distill(student, big).recipe.train.teacher == big.name


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside = network()

    def forward(self, *, pixels):
        return self.inside(pixels)


@pytest.mark.parametrize("augment", [None, lambda inputs: inputs * 2])
def test_a_teacher_may_have_named_inputs(augment):
    module, small, (inputs, labels) = Named(), linear(), points()
    items = [{"pixels": x, "label": int(y)} for x, y in zip(inputs, labels, strict=True)]
    big = make_model(module, items, "big")
    student = make_model(small, (inputs, labels), "small", augment=augment)
    seen = inputs if augment is None else inputs * 2
    soft = (module(pixels=seen) / 2).detach().softmax(1)
    loss = -(soft * (small(seen) / 2).log_softmax(1)).sum(1).mean() * 4
    (slope,) = torch.autograd.grad(loss, small.weight)
    weight = distill(student, big).weights()["weight"]
    torch.testing.assert_close(weight, (small.weight - 0.5 * slope).detach(), atol=1e-6, rtol=1e-5)


class Viewing(nn.Module):
    """Works only on contiguous tensors, like many modules."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(16, 3)

    def forward(self, inputs):
        return self.head(self.layer(inputs).view(len(inputs), -1))


@pytest.mark.slow
def test_teacher_and_student_may_differ_in_memory_layout():
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(COUNT, 3, 4, 4, generator=generator), points()[1]
    big = make_model(Viewing(), data, "big")
    small = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 3))
    student = make_model(small, data, "small", augment=lambda inputs: inputs * 2)
    assert student.architecture.traits.channels_last > big.architecture.traits.channels_last
    assert distill(student, big).recipe.train.teacher == "custom/big"


def test_a_recipe_accepts_a_model_and_stores_its_name():
    big = make_model(network(), points(), "big")
    settings = wb.Train(2, teacher=big)
    assert settings == wb.Train(2, teacher="custom/big")
    assert wb.Recipe(train=settings).as_dict()["train"]["teacher"] == "custom/big"


def test_a_compressed_user_model_as_teacher():
    big, student = make_model(network(), points(), "big"), make_model(linear(), points(), "small")
    by_original, by_compressed = (
        distill(student, f"custom/big{query}") for query in ("", "?prune.sparsity=0.9")
    )
    assert big.name in by_compressed.recipe.train.teacher
    assert not torch.equal(by_original.weights()["weight"], by_compressed.weights()["weight"])


def test_results_of_different_teachers_are_cached_separately():
    student = make_model(linear(), points(), "small")
    weights = []
    for seed in (0, 5):
        big = make_model(network(seed=seed), points(), "big")
        weights.append(distill(student, big).weights()["weight"])
    assert not torch.equal(*weights)


@pytest.mark.slow
def test_a_built_in_model_teaches_a_user_model_on_its_images():
    task = wb.task("fashion")
    splits = {}
    for name in SPLITS:
        split = task.split(name)
        images = torch.from_numpy(split.examples.astype(np.float32)).div_(255).unsqueeze(1)
        splits[name] = images, torch.from_numpy(split.labels.astype(np.int64))
    torch.manual_seed(0)
    small = nn.Sequential(nn.MaxPool2d(7), nn.Flatten(), nn.Linear(16, 10))
    student = make_model(small, splits, "small")
    artifact = wb.train(student, steps=2, batch=32, teacher="fashion/mlp-32")
    assert wb.evaluate(artifact, timed=False).exact


def other_inputs():
    inputs, labels = points()
    return inputs + 1, labels


def other_test():
    return {**dict.fromkeys(SPLITS, points()), "test": other_inputs()}


REFUSED = {
    "other inputs": (
        lambda: make_model(network(), other_inputs(), "big"),
        "training.teacher_data",
        "train data",
        "custom/big",
        "custom/small",
    ),
    "another order": (
        lambda: make_model(network(), tuple(part.flip(0) for part in points()), "big"),
        "training.teacher_data",
        "train data",
        "custom/big",
    ),
    "other test data": (
        lambda: make_model(network(), other_test(), "big"),
        "training.teacher_data",
        "test data",
        "custom/big",
    ),
    "more outputs": (
        lambda: make_model(network(4), points(), "big"),
        "training.teacher_classes",
        "custom/big",
        "4",
        "custom/small",
        "3",
    ),
    "a built-in model": (
        lambda: "fashion/mlp-32",
        "training.teacher_data",
        "train data",
        "fashion/mlp-32",
        "custom/small",
    ),
    "a model that is not registered": (
        lambda: "custom/unknown",
        "model.not_registered",
        "custom/unknown",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_unsuitable_teachers_are_refused(case):
    teacher, code, *facts = REFUSED[case]
    student = make_model(linear(), points(), "small")
    with raises(code, *facts) as caught:
        distill(student, teacher())
    assert "\n" not in str(caught.value)


class Several(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, inputs):
        return {"outputs": [self.layer(inputs)]}


def test_teachers_with_outputs_of_another_shape_are_refused():
    def metric(outputs, targets):
        return 0.5

    data = (points()[0], points()[0][:, :1])
    student = make_model(linear(1), data, "small")
    wide = make_model(network(2), data, "wide", metric=metric)
    with raises("training.teacher_output_shape", "(2, 2)", "(2, 1)"):
        distill(student, wide)
    several = make_model(Several(), data, "several", metric=metric)
    with raises("training.teacher_outputs"):
        distill(student, several)


def test_a_teacher_that_was_removed_is_registered_again(monkeypatch):
    big, student = make_model(network(), points(), "big"), make_model(linear(), points(), "small")
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    registry.register_model(student)
    assert distill(student, big).recipe.train.teacher == "custom/big"
    make_model(network(seed=3), points(), "big")
    with raises("training.teacher_name_taken", "custom/big"):
        distill(student, big)


def test_a_teacher_is_sent_to_another_process(monkeypatch):
    make_model(network(), points(), "big")
    student = make_model(linear(), points(), "small")
    job = Job(student, wb.Train(2, teacher="custom/big", batch=COUNT))
    expected = run_job(job)
    sent = dumps((job, user_teacher(job)))  # as joblib sends it to other processes
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())  # as in a new process
    assert run_job_with_teacher(run_job, *pickle.loads(sent)).value == expected.value


def test_models_on_the_same_data_are_compatible_teachers():
    student = make_model(linear(), points(), "small")
    make_model(network(), points(), "big")
    make_model(network(), other_inputs(), "other")
    assert compatible_teachers(student) == ("custom/big",)
    assert "custom/big" not in compatible_teachers(wb.model("fashion/mlp-32"))
