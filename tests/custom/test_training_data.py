"""Weights of training examples, and augmentation of training inputs."""

from __future__ import annotations

import random
from contextlib import closing

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import workbench as wb
from tests.raises import raises
from workbench.recipe import Recipe, Train
from workbench.training.forward import MICROBATCH
from workbench.training.microbatch import BatchOrder
from workbench.training.run import Run
from workbench.training.setup import training_setup

COUNT = 150
RATE = 0.5
SPLITS = ("train", "validation", "test")


def classes():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(COUNT, 6, generator=generator), torch.arange(COUNT) % 3


def numbers():
    inputs, _labels = classes()
    return inputs, inputs[:, :3] * 2 + 1


def sequences():
    inputs, labels = classes()
    labels = torch.stack([labels, labels.roll(1)], 1)
    labels[::4, 1] = -100
    return inputs.unflatten(1, (2, 3)), labels


W = torch.linspace(0, 2, COUNT)
W[:20] = 0
LOSSES = {  # unreduced losses of PyTorch, by example or position
    "classes": (classes, 6, lambda o, y: functional.cross_entropy(o, y, reduction="none")),
    "numbers": (numbers, 6, lambda o, y: (o - y).square().mean(1)),
    "sequences": (sequences, 3, lambda o, y: functional.cross_entropy(o.mT, y, reduction="none")),
}


def linear(width=6):
    torch.manual_seed(0)
    return nn.Linear(width, 3)


def make_model(module, train, data=None, **others):
    splits = {**dict.fromkeys(SPLITS, data or train[:2]), "train": train}
    return wb.from_module(module, **splits, name="small", **others)


def stepped(model, **settings):
    """Return the weights after one step of gradient descent on all examples."""
    defaults = {"steps": 1, "optimizer": "sgd", "schedule": "constant", "batch": COUNT, **settings}
    return wb.train(model, learning_rate=RATE, **defaults).weights()


def descended(module, loss):
    """Return the weights after one step of gradient descent on `loss`, computed by PyTorch."""
    gradients = torch.autograd.grad(loss, [module.weight, module.bias])
    pairs = zip(("weight", "bias"), (module.weight, module.bias), gradients, strict=True)
    return {name: (weight - RATE * slope).detach() for name, weight, slope in pairs}


@pytest.mark.parametrize("kind", LOSSES)
def test_the_loss_is_the_weighted_mean(kind):
    data, width, losses = LOSSES[kind]
    module, (inputs, labels) = linear(width), data()
    actual = stepped(make_model(module, (inputs, labels, W)))
    unreduced = losses(module(inputs), labels)
    weights = W if unreduced.ndim == 1 else W[:, None] * (labels != -100)
    # positions are averaged within a microbatch, and microbatches by their weights
    sequences = kind == "sequences"
    parts = BatchOrder(0, COUNT, COUNT)(0).split(MICROBATCH) if sequences else [slice(None)]
    means = [(unreduced * weights)[part].sum() / weights[part].sum() for part in parts]
    shares = [W[part].sum() / W.sum() for part in parts]
    expected = descended(module, sum(m * share for m, share in zip(means, shares, strict=True)))
    for name, tensor in expected.items():
        torch.testing.assert_close(actual[name], tensor, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", LOSSES)
def test_equal_weights_change_nothing(kind):
    data, width, _losses = LOSSES[kind]
    inputs, labels = data()
    weighted = stepped(
        make_model(linear(width), (inputs, labels, torch.full((COUNT,), 3.0))), steps=3
    )
    expected = stepped(make_model(linear(width), (inputs, labels)), steps=3)
    for name, tensor in expected.items():
        torch.testing.assert_close(weighted[name], tensor, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "matching"),
    [("classes", "soft_targets"), ("classes", "logits"), ("numbers", "logits")],
)
def test_examples_of_weight_0_are_not_distilled(kind, matching):
    inputs, labels = LOSSES[kind][0]()
    weights = (torch.arange(COUNT) < 50).float()
    settings = {"teacher": "self", "mix": 0.5, "label_smoothing": 0.1, "matching": matching}
    model = make_model(linear(), (inputs, labels, weights), data=(inputs, labels))
    actual = stepped(model, steps=3, **settings)
    few = make_model(linear(), (inputs[:50], labels[:50]), data=(inputs, labels))
    for name, tensor in stepped(few, steps=3, **settings).items():
        torch.testing.assert_close(actual[name], tensor, atol=1e-6, rtol=1e-5)


def test_a_step_of_examples_of_weight_0_changes_nothing():
    inputs, labels = classes()
    module = linear()
    model = make_model(module, (inputs, labels, (torch.arange(COUNT) == 7).float()))
    first = wb.train(model, steps=1, batch=1, optimizer="sgd").weights()
    assert torch.equal(first["weight"], module.weight)


def test_weights_do_not_affect_pruning_and_evaluation():
    models = [make_model(linear(), (*classes(), *w)) for w in ((W,), ())]
    models += [wb.from_module(linear(), **dict.fromkeys(SPLITS, (*classes(), W)), name="all")]
    recipe = wb.Recipe(prune=wb.Prune(0.5, criterion="gradient"))
    weights = [wb.compress(model, recipe).weights()["weight"] for model in models]
    for model, weight in zip(models, weights, strict=True):
        assert torch.equal(weight, weights[0])
        assert model.card["accuracy"] == models[0].card["accuracy"]


def test_training_with_other_weights_is_cached_separately():
    files = [wb.train(make_model(linear(), (*classes(), w)), steps=2) for w in (W, W.flip(0))]
    assert files[0].digest != files[1].digest


def test_a_custom_loss_receives_the_weights():
    def loss(outputs, targets, weights):
        losses = functional.cross_entropy(outputs, targets, reduction="none")
        return (losses * weights).sum() / COUNT

    module, (inputs, labels) = linear(), classes()
    model = make_model(module, (inputs, labels, W), loss=loss)
    actual = stepped(model, batch=64)
    batch = BatchOrder(0, COUNT, 64)(0)
    expected = descended(module, loss(module(inputs[batch]), labels[batch], W[batch]))
    for name, tensor in expected.items():
        torch.testing.assert_close(actual[name], tensor, atol=1e-6, rtol=1e-5)
    gradient = wb.Recipe(prune=wb.Prune(0.5, criterion="gradient"))  # with equal weights
    assert wb.measure(model, gradient, timed=False).exact


@pytest.mark.parametrize("loss", [lambda outputs, targets: outputs.sum(), nn.CrossEntropyLoss()])
def test_a_loss_that_does_not_accept_weights_is_refused(loss):
    with raises("training.loss_without_weights", "loss(outputs, targets, weights)"):
        make_model(linear(), (*classes(), W), loss=loss)


# --- augmentation --------------------------------------------------------------------------------


def noisy(inputs):
    noise = torch.randn(inputs.shape) + random.random() + float(np.random.normal())  # noqa: NPY002
    return inputs.add_(noise)


def trained(**settings):
    model = make_model(linear(), classes(), augment=noisy)
    return wb.train(model, **{"steps": 4, "batch": 140, **settings}).weights()


def test_training_with_augmentation_is_reproducible():
    torch.manual_seed(1)
    first = trained()
    torch.manual_seed(2)
    random.seed(2)
    again, other = trained(), trained(seed=1)
    without = wb.train(make_model(linear(), classes()), steps=4, batch=140).weights()
    assert torch.equal(first["weight"], again["weight"])
    assert not torch.equal(first["weight"], other["weight"])
    assert not torch.equal(first["weight"], without["weight"])


def test_training_with_augmentation_resumes_exactly(tmp_path):
    recipe = Recipe(train=Train(4, batch=140))
    model = make_model(linear(), classes(), augment=noisy)
    path = tmp_path / "run"
    with closing(Run(training_setup(model, recipe), recipe).go(checkpoint=path)) as steps:
        next(steps)
        next(steps)
    run = Run(training_setup(model, recipe), recipe)
    assert [event.step for event in run.go(checkpoint=path)] == [3, 4]
    uninterrupted = Run(training_setup(model, recipe), recipe)
    for _event in uninterrupted.go():
        pass
    assert torch.equal(run.trained().weights["weight"], uninterrupted.trained().weights["weight"])


def test_augmentation_does_not_change_the_data_and_random_states():
    inputs, labels = classes()
    before = inputs.clone()
    model = make_model(linear(), (inputs, labels), augment=noisy)
    torch.manual_seed(3)
    random.seed(3)
    state = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    wb.train(model, steps=2, batch=COUNT)
    assert torch.equal(inputs, before)
    assert torch.equal(torch.get_rng_state(), state[0])
    assert random.getstate() == state[1]
    assert np.array_equal(np.random.get_state()[1], state[2])  # noqa: NPY002
    without = make_model(linear(), classes())
    assert model.card["accuracy"] == without.card["accuracy"]


def test_a_teacher_sees_the_augmented_inputs():
    model = make_model(linear(), classes(), augment=noisy)
    recipe = Recipe(train=Train(1, teacher="self", mix=1.0, batch=140))
    (first,) = Run(training_setup(model, recipe), recipe).go()
    assert first.loss == pytest.approx(0, abs=1e-6)  # it is its own teacher


def test_results_of_different_augmentations_are_cached_separately():
    weights = []
    for factor in (0.5, 2.0):
        model = make_model(linear(), classes(), augment=lambda inputs, by=factor: inputs * by)
        weights.append(wb.train(model, steps=2).weights()["weight"])
    assert not torch.equal(*weights)


def test_augmentation_of_several_named_inputs():
    class Two(nn.Linear):
        def forward(self, left, right):
            return super().forward(left + right)

    def swapped(inputs):
        return {"left": inputs["right"].double(), "right": inputs["left"]}

    inputs, labels = classes()
    model = make_model(Two(6, 3), ({"left": inputs, "right": -inputs / 2}, labels), augment=swapped)
    assert wb.evaluate(wb.train(model, steps=2), timed=False).exact


def fails(inputs):
    raise ValueError("too bright\nby far")


AUGMENTS = {
    "no function": ("flip", "argument.invalid_type", "augment", "'flip'"),
    "a function that fails": (fails, "data.augment_failed", "ValueError: too bright"),
    "nothing": (lambda inputs: None, "data.augment_structure", "None"),
    "fewer rows": (lambda inputs: inputs[1:], "data.augment_structure"),
    "two tensors": (lambda inputs: (inputs, inputs), "data.augment_structure", "(tensor("),
    "NaN": (lambda inputs: inputs / 0, "data.augment_not_finite"),
}


@pytest.mark.parametrize("case", AUGMENTS)
def test_invalid_augmentations_are_refused(case):
    function, code, *facts = AUGMENTS[case]
    with raises(code, *facts) as caught:
        make_model(linear(), classes(), augment=function)
    assert "\n" not in str(caught.value)
