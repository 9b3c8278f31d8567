"""Optimizers and schedules behave like those of PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch.optim import SGD, Adam, AdamW, RMSprop, lr_scheduler as plain

import workbench as wb
from workbench.recipe.train import OPTIMIZERS as NAMES, SCHEDULES as SCHEDULE_NAMES
from workbench.training.optimizers import OPTIMIZERS, SCHEDULES, optimizer, schedule

RATE = 0.05
STEPS = 20

# The definition of each name, without fused or grouped kernels.
PLAIN = {
    "sgd": lambda groups: SGD(groups, lr=RATE, foreach=False),
    "momentum": lambda groups: SGD(groups, lr=RATE, momentum=0.9, foreach=False),
    "nesterov": lambda groups: SGD(groups, lr=RATE, momentum=0.9, nesterov=True, foreach=False),
    "rmsprop": lambda groups: RMSprop(groups, lr=RATE, foreach=False),
    "adam": lambda groups: Adam(groups, lr=RATE, foreach=False),
    "adamw": lambda groups: AdamW(groups, lr=RATE, foreach=False),
}
PLAIN_SCHEDULES = {
    "constant": lambda opt: plain.LambdaLR(opt, lambda _step: 1.0),
    "step": lambda opt: plain.MultiStepLR(opt, [10, 15], gamma=0.1),
    "cosine": lambda opt: plain.CosineAnnealingLR(opt, T_max=STEPS),
    "one_cycle": lambda opt: plain.OneCycleLR(
        opt, RATE, total_steps=STEPS + 1, cycle_momentum=False
    ),
    "warm_up": lambda opt: plain.LinearLR(opt, start_factor=0.5, total_iters=2),
}


def problem():
    """Return a matrix and a vector far from their optimum."""
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(3, 4, dtype=torch.float64, generator=generator).requires_grad_()
    vector = torch.randn(4, dtype=torch.float64, generator=generator).requires_grad_()
    return matrix, vector


def stepped(matrix, vector, opt, scheduled, steps=STEPS):
    rates, positions = [], []
    for _ in range(steps):
        opt.zero_grad()
        ((matrix * vector - 1) ** 2).sum().backward()
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduled.step()
        positions.append(torch.cat([matrix.detach().flatten(), vector.detach()]))
    return rates, torch.stack(positions)


def rates(name, steps):
    settings = wb.Train(steps=steps, schedule=name, learning_rate=RATE, optimizer="sgd")
    matrix, vector = problem()
    opt = optimizer(settings, [matrix], [vector])
    scheduled = schedule(settings, opt)
    used, _ = stepped(matrix, vector, opt, scheduled, steps)
    return [rate / RATE for rate in used], opt.param_groups[0]["lr"] / RATE


def test_every_name_of_a_recipe_is_defined():
    assert list(OPTIMIZERS) == [choice.value for choice in NAMES] == list(PLAIN)
    assert list(SCHEDULES) == [choice.value for choice in SCHEDULE_NAMES] == list(PLAIN_SCHEDULES)


@pytest.mark.parametrize("scheduled", PLAIN_SCHEDULES)
@pytest.mark.parametrize("name", PLAIN)
def test_updates_are_those_of_the_pytorch_class(name, scheduled):
    settings = wb.Train(
        steps=STEPS, optimizer=name, schedule=scheduled, learning_rate=RATE, weight_decay=0.03
    )
    matrix, vector = problem()
    opt = optimizer(settings, [matrix], [vector])
    ours = stepped(matrix, vector, opt, schedule(settings, opt))
    matrix, vector = problem()
    opt = PLAIN[name](
        [{"params": [matrix], "weight_decay": 0.03}, {"params": [vector], "weight_decay": 0.0}]
    )
    theirs = stepped(matrix, vector, opt, PLAIN_SCHEDULES[scheduled](opt))
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12)
    torch.testing.assert_close(ours[1], theirs[1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", PLAIN)
def test_the_first_step_matches_a_computation_by_hand(name):
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
    opt = optimizer(wb.Train(optimizer=name, learning_rate=0.1), [weight], [])
    (3 * weight).sum().backward()
    opt.step()
    assert weight.item() == pytest.approx(expected[name], abs=1e-6)


@pytest.mark.parametrize("name", PLAIN)
def test_an_empty_group_of_decayed_tensors_works(name):
    weight = torch.zeros(3, requires_grad=True)
    opt = optimizer(wb.Train(optimizer=name, weight_decay=0.5), [], [weight])
    assert [group["weight_decay"] for group in opt.param_groups] == [0.0]


def test_weight_decay_applies_only_to_tensors_of_two_or_more_dimensions(start_run, make_recipe):
    settings = make_recipe(
        quantize={"bits": 4}, rounding="learned", weight_decay=0.25, optimizer="adam"
    )
    run = start_run(settings, "fashion/resnet")
    decayed, others = run._optimizer.param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.25, 0.0)
    assert {weight.ndim for weight in decayed["params"]} == {2, 4}
    assert {weight.ndim for weight in others["params"]} == {1}
    names = {id(weight): name for name, weight in run.weights.items()}
    decayed_names = {names[id(weight)] for weight in decayed["params"]}
    assert decayed_names == set(wb.model("fashion/resnet").layers)
    other_names = {names.get(id(weight), "a scale") for weight in others["params"]}
    parameters = {name for name, _ in run.module.named_parameters()}
    assert other_names == parameters - decayed_names | {"a scale"}


@pytest.mark.slow
@pytest.mark.parametrize("steps", [10, 100, 333])
def test_schedules_match_their_help_texts(steps):
    used, end = rates("constant", steps)
    assert {*used, end} == {1.0}

    used, end = rates("step", steps)
    for number, rate in enumerate(used):
        t = number / steps
        assert rate == pytest.approx(1 if t < 1 / 2 else 0.1 if t < 3 / 4 else 0.01)

    used, end = rates("cosine", steps)
    assert used[0] == 1
    assert used[steps // 2] == pytest.approx(0.5, abs=4 / steps)
    assert used == sorted(used, reverse=True)
    assert end == pytest.approx(0, abs=1e-9)

    used, end = rates("one_cycle", steps)
    peak = used.index(max(used))
    assert max(used) == pytest.approx(1, abs=0.05)
    assert peak == pytest.approx(0.3 * steps, abs=1)
    assert used[: peak + 1] == sorted(used[: peak + 1])
    assert used[peak:] == sorted(used[peak:], reverse=True)
    assert used[0] == pytest.approx(1 / 25)
    assert end < 1e-4

    used, end = rates("warm_up", steps)
    used = [round(rate, 9) for rate in used]
    end_of_warm_up = used.index(1)
    assert end_of_warm_up == max(1, steps // 10)
    assert used[: end_of_warm_up + 1] == sorted(used[: end_of_warm_up + 1])
    assert used[0] <= 0.5
    assert {*used[end_of_warm_up:], round(end, 9)} == {1.0}


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("name", PLAIN_SCHEDULES)
def test_few_steps_still_reach_a_useful_rate(name, steps):
    used, _ = rates(name, steps)
    assert max(used) >= 0.4
    assert all(0 < rate <= 1 for rate in used)
