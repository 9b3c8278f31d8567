"""Weights of training examples, and random changes of training inputs."""

from __future__ import annotations

import random
from contextlib import closing

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import workbench as wb
from workbench.errors import WorkbenchError
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


def places():
    inputs, labels = classes()
    labels = torch.stack([labels, labels.roll(1)], 1)
    labels[::4, 1] = -100
    return inputs.unflatten(1, (2, 3)), labels


W = torch.linspace(0, 2, COUNT)
W[:20] = 0
LOSSES = {  # as PyTorch gives them without reduction, by example or place
    "classes": (classes, 6, lambda o, y: functional.cross_entropy(o, y, reduction="none")),
    "numbers": (numbers, 6, lambda o, y: (o - y).square().mean(1)),
    "places": (places, 3, lambda o, y: functional.cross_entropy(o.mT, y, reduction="none")),
}


def linear(width=6):
    torch.manual_seed(0)
    return nn.Linear(width, 3)


def brought(module, train, data=None, **others):
    splits = {**dict.fromkeys(SPLITS, data or train[:2]), "train": train}
    return wb.from_module(module, **splits, name="small", **others)


def stepped(model, **settings):
    """Return the weights after one step of gradient descent on all examples."""
    how = {"steps": 1, "optimizer": "sgd", "schedule": "constant", "batch": COUNT, **settings}
    return wb.train(model, learning_rate=RATE, **how).weights()


def descended(module, loss):
    """Return the weights after one step down the gradient of `loss`, by PyTorch alone."""
    gradients = torch.autograd.grad(loss, [module.weight, module.bias])
    pairs = zip(("weight", "bias"), (module.weight, module.bias), gradients, strict=True)
    return {name: (weight - RATE * slope).detach() for name, weight, slope in pairs}


@pytest.mark.parametrize("kind", LOSSES)
def test_the_loss_is_the_weighted_mean(kind):
    data, width, losses = LOSSES[kind]
    module, (inputs, labels) = linear(width), data()
    found = stepped(brought(module, (inputs, labels, W)))
    each = losses(module(inputs), labels)
    weights = W if each.ndim == 1 else W[:, None] * (labels != -100)
    # of places, those of one microbatch make a mean, and microbatches go by their weights
    parts = BatchOrder(0, COUNT, COUNT)(0).split(MICROBATCH) if kind == "places" else [slice(None)]
    means = [(each * weights)[part].sum() / weights[part].sum() for part in parts]
    shares = [W[part].sum() / W.sum() for part in parts]
    right = descended(module, sum(m * share for m, share in zip(means, shares, strict=True)))
    for name, tensor in right.items():
        torch.testing.assert_close(found[name], tensor, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", LOSSES)
def test_equal_weights_change_nothing(kind):
    data, width, _losses = LOSSES[kind]
    inputs, labels = data()
    found = stepped(brought(linear(width), (inputs, labels, torch.full((COUNT,), 3.0))), steps=3)
    plain = stepped(brought(linear(width), (inputs, labels)), steps=3)
    for name, tensor in plain.items():
        torch.testing.assert_close(found[name], tensor, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "matching"),
    [("classes", "soft targets"), ("classes", "logits"), ("numbers", "logits")],
)
def test_what_weighs_nothing_is_not_learned_from_a_teacher_either(kind, matching):
    inputs, labels = LOSSES[kind][0]()
    counted = (torch.arange(COUNT) < 50).float()
    how = {"teacher": "self", "mix": 0.5, "label_smoothing": 0.1, "matching": matching}
    model = brought(linear(), (inputs, labels, counted), data=(inputs, labels))
    found = stepped(model, steps=3, **how)
    few = brought(linear(), (inputs[:50], labels[:50]), data=(inputs, labels))
    for name, tensor in stepped(few, steps=3, **how).items():
        torch.testing.assert_close(found[name], tensor, atol=1e-6, rtol=1e-5)


def test_a_step_of_examples_that_weigh_nothing_changes_nothing():
    inputs, labels = classes()
    module = linear()
    model = brought(module, (inputs, labels, (torch.arange(COUNT) == 7).float()))
    first = wb.train(model, steps=1, batch=1, optimizer="sgd").weights()
    assert torch.equal(first["weight"], module.weight)


def test_weights_have_no_part_in_what_is_measured():
    weighted, plain = (brought(linear(), (*classes(), *w)) for w in ((W,), ()))
    every = wb.from_module(linear(), **dict.fromkeys(SPLITS, (*classes(), W)), name="all")
    recipe = wb.Recipe(prune=wb.Prune(0.5, criterion="gradient"))
    files = [wb.compress(one, recipe).weights() for one in (weighted, plain, every)]
    for other in files[1:]:
        assert torch.equal(files[0]["weight"], other["weight"])
    assert weighted.card["accuracy"] == plain.card["accuracy"] == every.card["accuracy"]


def test_training_with_other_weights_is_another_training():
    files = [wb.train(brought(linear(), (*classes(), w)), steps=2) for w in (W, W.flip(0))]
    assert files[0].digest != files[1].digest


def test_a_loss_of_ones_own_is_given_the_weights():
    def loss(outputs, targets, weights):
        each = functional.cross_entropy(outputs, targets, reduction="none")
        return (each * weights).sum() / COUNT

    module, (inputs, labels) = linear(), classes()
    model = brought(module, (inputs, labels, W), loss=loss)
    found = stepped(model, batch=64)
    chosen = BatchOrder(0, COUNT, 64)(0)
    right = descended(module, loss(module(inputs[chosen]), labels[chosen], W[chosen]))
    for name, tensor in right.items():
        torch.testing.assert_close(found[name], tensor, atol=1e-6, rtol=1e-5)
    gradient = wb.Recipe(prune=wb.Prune(0.5, criterion="gradient"))  # where all count alike
    assert wb.measure(model, gradient, timed=False).exact


@pytest.mark.parametrize("loss", [lambda outputs, targets: outputs.sum(), nn.CrossEntropyLoss()])
def test_a_loss_that_takes_no_weights_is_refused(loss):
    with pytest.raises(WorkbenchError, match=r"have weights, which this loss does not take: give"):
        brought(linear(), (*classes(), W), loss=loss)


# --- random changes of inputs --------------------------------------------------------------------


def noisy(inputs):
    noise = torch.randn(inputs.shape) + random.random() + float(np.random.normal())  # noqa: NPY002
    return inputs.add_(noise)


def trained(**settings):
    model = brought(linear(), classes(), augment=noisy)
    return wb.train(model, **{"steps": 4, "batch": 140, **settings}).weights()


def test_a_training_with_random_changes_repeats():
    torch.manual_seed(1)
    first = trained()
    torch.manual_seed(2)
    random.seed(2)
    again, other = trained(), trained(seed=1)
    plain = wb.train(brought(linear(), classes()), steps=4, batch=140).weights()
    assert torch.equal(first["weight"], again["weight"])
    assert not torch.equal(first["weight"], other["weight"])
    assert not torch.equal(first["weight"], plain["weight"])


def test_a_training_with_random_changes_goes_on_where_it_was(tmp_path):
    recipe = Recipe(train=Train(4, batch=140))
    model = brought(linear(), classes(), augment=noisy)
    path = tmp_path / "run"
    with closing(Run(training_setup(model, recipe), recipe).go(checkpoint=path)) as moments:
        next(moments)
        next(moments)
    run = Run(training_setup(model, recipe), recipe)
    assert [moment.step for moment in run.go(checkpoint=path)] == [3, 4]
    whole = Run(training_setup(model, recipe), recipe)
    for _moment in whole.go():
        pass
    assert torch.equal(run.trained().weights["weight"], whole.trained().weights["weight"])


def test_changes_leave_the_data_and_random_numbers_as_they_were():
    inputs, labels = classes()
    before = inputs.clone()
    model = brought(linear(), (inputs, labels), augment=noisy)
    torch.manual_seed(3)
    random.seed(3)
    state = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    wb.train(model, steps=2, batch=COUNT)
    assert torch.equal(inputs, before)
    assert torch.equal(torch.get_rng_state(), state[0])
    assert random.getstate() == state[1]
    assert np.array_equal(np.random.get_state()[1], state[2])  # noqa: NPY002
    plain = brought(linear(), classes())
    assert model.card["accuracy"] == plain.card["accuracy"]


def test_a_teacher_sees_the_changed_inputs():
    model = brought(linear(), classes(), augment=noisy)
    recipe = Recipe(train=Train(1, teacher="self", mix=1.0, batch=140))
    (first,) = Run(training_setup(model, recipe), recipe).go()
    assert first.loss == pytest.approx(0, abs=1e-6)  # it is its own teacher


def test_what_one_function_brought_about_is_not_taken_for_what_another_does():
    found = []
    for factor in (0.5, 2.0):
        model = brought(linear(), classes(), augment=lambda inputs, by=factor: inputs * by)
        found.append(wb.train(model, steps=2).weights()["weight"])
    assert not torch.equal(*found)


def test_changes_of_several_named_inputs():
    class Two(nn.Linear):
        def forward(self, left, right):
            return super().forward(left + right)

    def swapped(inputs):
        return {"left": inputs["right"].double(), "right": inputs["left"]}

    inputs, labels = classes()
    model = brought(Two(6, 3), ({"left": inputs, "right": -inputs / 2}, labels), augment=swapped)
    assert wb.evaluate(wb.train(model, steps=2), timed=False).exact


def fails(inputs):
    raise ValueError("too bright\nby far")


AUGMENTS = {
    "no function": ("flip", "augment must be a function of inputs, not 'flip'"),
    "one that fails": (fails, "The function augment fails with ValueError: too bright"),
    "nothing": (lambda inputs: None, "The function augment returns None: it must return inputs"),
    "fewer rows": (lambda inputs: inputs[1:], "inputs like those that it is given, with a row for"),
    "two": (lambda inputs: (inputs, inputs), "The function augment returns (tensor("),
    "NaN": (lambda inputs: inputs / 0, "The function augment returns NaN or infinity"),
}


@pytest.mark.parametrize("case", AUGMENTS)
def test_functions_that_change_nothing_usable_are_one_sentence(case):
    function, words = AUGMENTS[case]
    with pytest.raises(WorkbenchError) as caught:
        brought(linear(), classes(), augment=function)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
