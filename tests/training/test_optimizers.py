"""Optimisers and schedules do what PyTorch's own do: they are wrapped, not rewritten."""

from __future__ import annotations

import pytest
import torch
from torch.optim import SGD, Adam, AdamW, RMSprop
from torch.optim import lr_scheduler as plain

import workbench as wb
from workbench.recipe.train import OPTIMIZERS as NAMES
from workbench.recipe.train import SCHEDULES as SCHEDULE_NAMES
from workbench.training.optimizers import OPTIMIZERS, SCHEDULES, optimizer, schedule

RATE = 0.05
STEPS = 20

# What each name means, made plainly: no fused or grouped kernels.
PLAIN = {
    "sgd": lambda groups: SGD(groups, lr=RATE, foreach=False),
    "momentum": lambda groups: SGD(groups, lr=RATE, momentum=0.9, foreach=False),
    "nesterov": lambda groups: SGD(groups, lr=RATE, momentum=0.9, nesterov=True, foreach=False),
    "rmsprop": lambda groups: RMSprop(groups, lr=RATE, foreach=False),
    "adam": lambda groups: Adam(groups, lr=RATE, foreach=False),
    "adamw": lambda groups: AdamW(groups, lr=RATE, foreach=False),
}
PLAIN_SCHEDULES = {
    "constant": lambda made: plain.LambdaLR(made, lambda _step: 1.0),
    "step": lambda made: plain.MultiStepLR(made, [10, 15], gamma=0.1),
    "cosine": lambda made: plain.CosineAnnealingLR(made, T_max=STEPS),
    "one-cycle": lambda made: plain.OneCycleLR(
        made, RATE, total_steps=STEPS + 1, cycle_momentum=False
    ),
    "warm-up": lambda made: plain.LinearLR(made, start_factor=0.5, total_iters=2),
}


def problem():
    """A matrix and a vector far from where they want to be."""
    lot = torch.Generator().manual_seed(0)
    matrix = torch.randn(3, 4, dtype=torch.float64, generator=lot).requires_grad_()
    vector = torch.randn(4, dtype=torch.float64, generator=lot).requires_grad_()
    return matrix, vector


def stepped(matrix, vector, made, scheduled, steps=STEPS):
    rates, places = [], []
    for _ in range(steps):
        made.zero_grad()
        ((matrix * vector - 1) ** 2).sum().backward()
        rates.append(made.param_groups[0]["lr"])
        made.step()
        scheduled.step()
        places.append(torch.cat([matrix.detach().flatten(), vector.detach()]))
    return rates, torch.stack(places)


def rates(name, steps):
    settings = wb.Train(steps=steps, schedule=name, learning_rate=RATE, optimizer="sgd")
    matrix, vector = problem()
    made = optimizer(settings, [matrix], [vector])
    scheduled = schedule(settings, made)
    used, _ = stepped(matrix, vector, made, scheduled, steps)
    return [rate / RATE for rate in used], made.param_groups[0]["lr"] / RATE


def test_every_name_of_a_recipe_is_there():
    assert list(OPTIMIZERS) == [choice.value for choice in NAMES] == list(PLAIN)
    assert list(SCHEDULES) == [choice.value for choice in SCHEDULE_NAMES] == list(PLAIN_SCHEDULES)


@pytest.mark.parametrize("scheduled", PLAIN_SCHEDULES)
@pytest.mark.parametrize("name", PLAIN)
def test_updates_are_those_of_the_plain_class(name, scheduled):
    settings = wb.Train(
        steps=STEPS, optimizer=name, schedule=scheduled, learning_rate=RATE, weight_decay=0.03
    )
    matrix, vector = problem()
    made = optimizer(settings, [matrix], [vector])
    ours = stepped(matrix, vector, made, schedule(settings, made))
    matrix, vector = problem()
    made = PLAIN[name](
        [{"params": [matrix], "weight_decay": 0.03}, {"params": [vector], "weight_decay": 0.0}]
    )
    theirs = stepped(matrix, vector, made, PLAIN_SCHEDULES[scheduled](made))
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12)
    torch.testing.assert_close(ours[1], theirs[1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", PLAIN)
def test_the_first_step_of_each_by_hand(name):
    # One weight of 2 with gradient 3 at the rate 0.1; 1 − 0.99 and its root are RMSprop's.
    expected = {
        "sgd": 2 - 0.1 * 3,
        "momentum": 2 - 0.1 * 3,
        "nesterov": 2 - 0.1 * (3 + 0.9 * 3),
        "rmsprop": 2 - 0.1 * 3 / (0.1 * 3),
        "adam": 2 - 0.1,
        "adamw": 2 - 0.1,
    }
    weight = torch.tensor([[2.0]], dtype=torch.float64, requires_grad=True)
    made = optimizer(wb.Train(optimizer=name, learning_rate=0.1), [weight], [])
    (3 * weight).sum().backward()
    made.step()
    assert weight.item() == pytest.approx(expected[name], abs=1e-6)


@pytest.mark.parametrize("name", PLAIN)
def test_nothing_to_decay_is_no_trouble(name):
    weight = torch.zeros(3, requires_grad=True)
    made = optimizer(wb.Train(optimizer=name, weight_decay=0.5), [], [weight])
    assert [group["weight_decay"] for group in made.param_groups] == [0.0]


def test_weight_decay_reaches_tensors_of_two_dimensions_and_no_others(begun, recipe):
    settings = recipe(quantize={"bits": 4}, rounding="learned", weight_decay=0.25, optimizer="adam")
    run = begun(settings, "fashion/resnet")
    decayed, others = run._optimizer.param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.25, 0.0)
    assert {weight.ndim for weight in decayed["params"]} == {2, 4}
    assert {weight.ndim for weight in others["params"]} == {1}
    named = {id(weight): name for name, weight in run.weights.items()}
    reached = {named[id(weight)] for weight in decayed["params"]}
    assert reached == set(wb.model("fashion/resnet").layers)
    left = {named.get(id(weight), "a scale") for weight in others["params"]}
    parameters = {name for name, _ in run.module.named_parameters()}
    assert left == parameters - reached | {"a scale"}


@pytest.mark.parametrize("steps", [10, 100, 333])
def test_schedules_are_what_their_help_says(steps):
    used, end = rates("constant", steps)
    assert {*used, end} == {1.0}

    used, end = rates("step", steps)
    for number, rate in enumerate(used):
        done = number / steps
        assert rate == pytest.approx(1 if done < 1 / 2 else 0.1 if done < 3 / 4 else 0.01)

    used, end = rates("cosine", steps)
    assert used[0] == 1
    assert used[steps // 2] == pytest.approx(0.5, abs=4 / steps)
    assert used == sorted(used, reverse=True)
    assert end == pytest.approx(0, abs=1e-9)

    used, end = rates("one-cycle", steps)
    peak = used.index(max(used))
    assert max(used) == pytest.approx(1, abs=0.05)
    assert peak == pytest.approx(0.3 * steps, abs=1)
    assert used[: peak + 1] == sorted(used[: peak + 1])
    assert used[peak:] == sorted(used[peak:], reverse=True)
    assert used[0] == pytest.approx(1 / 25)
    assert end < 1e-4

    used, end = rates("warm-up", steps)
    used = [round(rate, 9) for rate in used]
    risen = used.index(1)
    assert risen == max(1, steps // 10)
    assert used[: risen + 1] == sorted(used[: risen + 1])
    assert used[0] <= 0.5
    assert {*used[risen:], round(end, 9)} == {1.0}


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("name", PLAIN_SCHEDULES)
def test_few_steps_still_learn_something(name, steps):
    used, _ = rates(name, steps)
    assert max(used) >= 0.4
    assert all(0 < rate <= 1 for rate in used)
