"""A person's own model teaches another on the same data, and nobody teaches on other data."""

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
from workbench.errors import RecipeError, WorkbenchError
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


def brought(module, data, name, **others):
    splits = data if isinstance(data, dict) else dict.fromkeys(SPLITS, data)
    return wb.from_module(module, **splits, name=name, **others)


def learned(student, teacher, **settings):
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
@pytest.mark.parametrize("given", ["model", "name"])
def test_one_of_ones_own_teaches_another(kind, given):
    module, small, (inputs, labels) = network(), linear(), points()
    big = brought(module, KINDS[kind](inputs, labels), "big")
    student = brought(small, (inputs, labels), "small")
    artifact = learned(student, big if given == "model" else "custom/big")
    assert artifact.recipe.train.teacher == "custom/big"
    soft = (module(inputs) / 2).detach().softmax(1)
    loss = -(soft * (small(inputs) / 2).log_softmax(1)).sum(1).mean() * 4
    (slope,) = torch.autograd.grad(loss, small.weight)
    torch.testing.assert_close(
        artifact.weights()["weight"], (small.weight - 0.5 * slope).detach(), atol=1e-6, rtol=1e-5
    )


def test_a_teacher_of_numbers():
    module, small, (inputs, _labels) = network(), linear(), points()
    data = (inputs, inputs[:, :3])
    big, student = brought(module, data, "big"), brought(small, data, "small")
    loss = functional.mse_loss(small(inputs), module(inputs).detach())
    (slope,) = torch.autograd.grad(loss, small.weight)
    found = learned(student, big).weights()["weight"]
    torch.testing.assert_close(found, (small.weight - 0.5 * slope).detach(), atol=1e-6, rtol=1e-5)


def test_weights_and_names_of_classes_are_each_students_own():
    inputs, labels = points()
    big = brought(network(), (inputs, labels), "big", classes=["a", "b", "c"])
    student = brought(linear(), (inputs, labels, torch.rand(COUNT)), "small")
    assert learned(student, big).recipe.train.teacher == big.name


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside = network()

    def forward(self, *, pixels):
        return self.inside(pixels)


@pytest.mark.parametrize("augment", [None, lambda inputs: inputs * 2])
def test_a_teacher_may_take_the_inputs_by_name(augment):
    module, small, (inputs, labels) = Named(), linear(), points()
    items = [{"pixels": one, "label": int(y)} for one, y in zip(inputs, labels, strict=True)]
    big = brought(module, items, "big")
    student = brought(small, (inputs, labels), "small", augment=augment)
    seen = inputs if augment is None else inputs * 2
    soft = (module(pixels=seen) / 2).detach().softmax(1)
    loss = -(soft * (small(seen) / 2).log_softmax(1)).sum(1).mean() * 4
    (slope,) = torch.autograd.grad(loss, small.weight)
    found = learned(student, big).weights()["weight"]
    torch.testing.assert_close(found, (small.weight - 0.5 * slope).detach(), atol=1e-6, rtol=1e-5)


class Viewing(nn.Module):
    """Works only on tensors whose memory is in order, as many modules do."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(16, 3)

    def forward(self, inputs):
        return self.head(self.layer(inputs).view(len(inputs), -1))


def test_a_teacher_has_its_own_layout_of_memory():
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(COUNT, 3, 4, 4, generator=generator), points()[1]
    big = brought(Viewing(), data, "big")
    small = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 3))
    student = brought(small, data, "small", augment=lambda inputs: inputs * 2)
    assert student.architecture.traits.channels_last > big.architecture.traits.channels_last
    assert learned(student, big).recipe.train.teacher == "custom/big"


def test_a_recipe_takes_a_model_and_holds_its_name():
    big = brought(network(), points(), "big")
    settings = wb.Train(2, teacher=big)
    assert settings == wb.Train(2, teacher="custom/big")
    assert wb.Recipe(train=settings).as_dict()["train"]["teacher"] == "custom/big"


def test_a_compressed_model_of_ones_own_teaches():
    big, student = brought(network(), points(), "big"), brought(linear(), points(), "small")
    plain, compressed = (learned(student, f"custom/big{q}") for q in ("", "?prune.sparsity=0.9"))
    assert big.name in compressed.recipe.train.teacher
    assert not torch.equal(plain.weights()["weight"], compressed.weights()["weight"])


def test_what_one_teacher_taught_is_not_taken_for_what_another_does():
    student = brought(linear(), points(), "small")
    found = []
    for seed in (0, 5):
        big = brought(network(seed=seed), points(), "big")
        found.append(learned(student, big).weights()["weight"])
    assert not torch.equal(*found)


def test_a_built_in_model_teaches_ones_own_on_its_pictures():
    task = wb.task("fashion")
    splits = {}
    for name in SPLITS:
        split = task.split(name)
        images = torch.from_numpy(split.examples.astype(np.float32)).div_(255).unsqueeze(1)
        splits[name] = images, torch.from_numpy(split.labels.astype(np.int64))
    torch.manual_seed(0)
    small = nn.Sequential(nn.MaxPool2d(7), nn.Flatten(), nn.Linear(16, 10))
    student = brought(small, splits, "small")
    artifact = wb.train(student, steps=2, batch=32, teacher="fashion/mlp-32")
    assert wb.evaluate(artifact, timed=False).exact


def other_inputs():
    inputs, labels = points()
    return inputs + 1, labels


def other_test():
    return {**dict.fromkeys(SPLITS, points()), "test": other_inputs()}


REFUSED = {
    "other inputs": (
        lambda: brought(network(), other_inputs(), "big"),
        "The train data of the teacher custom/big are not those of custom/small: bring both",
    ),
    "another order": (
        lambda: brought(network(), tuple(part.flip(0) for part in points()), "big"),
        "The train data of the teacher custom/big",
    ),
    "other test data": (
        lambda: brought(network(), other_test(), "big"),
        "The test data of the teacher custom/big",
    ),
    "more outputs": (
        lambda: brought(network(4), points(), "big"),
        "custom/big has outputs for 4 classes and custom/small for 3",
    ),
    "one that is built in": (
        lambda: "fashion/mlp-32",
        "The train data of the teacher fashion/mlp-32 are not those of custom/small",
    ),
    "one that nobody brought": (lambda: "custom/nobody", "is not registered"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_who_cannot_teach_is_one_sentence(case):
    teacher, words = REFUSED[case]
    student = brought(linear(), points(), "small")
    with pytest.raises(WorkbenchError, match=words) as caught:
        learned(student, teacher())
    assert "\n" not in str(caught.value)


class Several(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, inputs):
        return {"found": [self.layer(inputs)]}


def test_outputs_of_another_shape_are_one_sentence():
    def metric(outputs, targets):
        return 0.5

    data = (points()[0], points()[0][:, :1])
    student = brought(linear(1), data, "small")
    wide = brought(network(2), data, "wide", metric=metric)
    with pytest.raises(RecipeError, match=r"outputs are \(2, 2\) and the student's \(2, 1\)"):
        learned(student, wide)
    several = brought(Several(), data, "several", metric=metric)
    with pytest.raises(WorkbenchError, match="only outputs in a tensor can be learned"):
        learned(student, several)


def test_a_teacher_that_was_forgotten_is_known_again(monkeypatch):
    big, student = brought(network(), points(), "big"), brought(linear(), points(), "small")
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    registry.register_model(student)
    assert learned(student, big).recipe.train.teacher == "custom/big"
    brought(network(seed=3), points(), "big")
    with pytest.raises(RecipeError, match="Another model is called custom/big by now"):
        learned(student, big)


def test_a_teacher_goes_along_into_another_process(monkeypatch):
    brought(network(), points(), "big")
    student = brought(linear(), points(), "small")
    job = Job(student, wb.Train(2, teacher="custom/big", batch=COUNT))
    right = run_job(job)
    sent = dumps((job, user_teacher(job)))  # as joblib sends it to other processes
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())  # as it is in a new process
    assert run_job_with_teacher(run_job, *pickle.loads(sent)).value == right.value


def test_the_page_offers_those_on_the_same_data():
    student = brought(linear(), points(), "small")
    brought(network(), points(), "big")
    brought(network(), other_inputs(), "stranger")
    assert compatible_teachers(student) == ("custom/big",)
    assert "custom/big" not in compatible_teachers(wb.model("fashion/mlp-32"))
