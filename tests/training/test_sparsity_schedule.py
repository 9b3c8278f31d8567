"""The sparsity schedule, and the masks of a run that follows it."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from workbench.recipe.train import SPARSENING
from workbench.training.sparsity_schedule import ROUNDS, STAIRS, sparsity_schedule

KINDS = [choice.value for choice in SPARSENING]
STEPS = [0, 1, 2, 3, 4, 5, 7, 10, 29, 30, 31, 100, 301, 5000]


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", KINDS)
def test_shares_rise_to_one_within_the_steps(kind, steps):
    schedule = sparsity_schedule(kind, steps)
    assert list(schedule) == sorted(schedule)
    assert list(schedule.values()) == sorted(schedule.values())
    assert len(set(schedule.values())) == len(schedule)
    assert next(iter(schedule)) == 0
    assert list(schedule.values())[-1] == 1
    assert max(schedule) < max(1, steps)
    assert min(schedule.values()) >= 0


@pytest.mark.parametrize("kind", ["linear", "cubic"])
def test_the_last_third_is_recovery(kind):
    schedule = sparsity_schedule(kind, 300)
    assert len(schedule) == STAIRS
    assert list(schedule) == list(range(0, 200, 10))


def test_the_cubic_shares_are_those_of_zhu_and_gupta():
    # s_t = s_f + (s_i − s_f)(1 − (t − t_0) / (n Δt))³ with s_i = 0, s_f = 1 and n = 20.
    expected = [1 + (0 - 1) * (1 - t / 20) ** 3 for t in range(1, 21)]
    assert list(sparsity_schedule("cubic", 300).values()) == pytest.approx(expected)
    assert list(sparsity_schedule("cubic", 300).values())[9] == pytest.approx(0.875)


def test_the_linear_shares_are_even():
    expected = [number / 20 for number in range(1, 21)]
    assert list(sparsity_schedule("linear", 300).values()) == pytest.approx(expected)


def test_rewinding_takes_even_rounds():
    assert sparsity_schedule("rewind", 100) == pytest.approx({0: 0, 25: 1 / 3, 50: 2 / 3, 75: 1})
    assert len(sparsity_schedule("rewind", 3)) == 3


@pytest.mark.parametrize("criterion", ["magnitude", "gradient", "random"])
@pytest.mark.parametrize("kind", KINDS)
def test_masks_are_nested_and_reach_the_target(kind, criterion, start_run, make_recipe):
    recipe = make_recipe(
        prune={"sparsity": 0.9, "criterion": criterion},
        sparsening=kind, steps=9, learning_rate=0.01,
    )  # fmt: skip
    run = start_run(recipe)
    masks, sparsities = dict(run.quantizer.masks), []
    for event in run.go():
        sparsities.append(event.sparsity)
        for name, mask in run.quantizer.masks.items():
            assert not (mask & ~masks[name]).any()  # zeros stay zero
        masks = dict(run.quantizer.masks)
    total = sum(mask.numel() for mask in masks.values())
    assert sparsities == sorted(sparsities)
    assert sum(int(mask.sum()) for mask in masks.values()) == total - round(0.9 * total)
    if kind != "one_shot":
        assert sparsities[0] < 0.9 * sparsities[-1]


def test_layers_with_their_own_sparsity_follow_the_schedule(start_run, make_recipe):
    recipe = make_recipe(
        prune={"sparsity": 0.9, "layers": {"fc3.weight": 0.2}, "scope": "uniform"},
        sparsening="cubic",
        steps=6,
    )
    run = start_run(recipe)
    for _event in run.go():
        pass
    zeros = {name: int((~mask).sum()) for name, mask in run.quantizer.masks.items()}
    assert zeros == {"fc1.weight": 211_680, "fc2.weight": 27_000, "fc3.weight": 200}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/resnet"])
def test_rewinding_resets_the_remaining_weights(name, start_run, make_recipe):
    recipe = make_recipe(
        prune={"sparsity": 0.8}, quantize={"bits": 4}, rounding="learned",
        sparsening="rewind", steps=8, optimizer="momentum", learning_rate=0.05,
    )  # fmt: skip
    run = start_run(recipe, name)
    begin = {name: weight.clone() for name, weight in wb.model(name).weights().items()}
    rounds = sparsity_schedule("rewind", 8)
    assert len(rounds) == ROUNDS
    for event in run.go():
        if event.step not in rounds:
            continue
        trained = {name: weight.detach().clone() for name, weight in run.weights.items()}
        assert not all(torch.equal(trained[n], begin[n]) for n in begin)
        assert run._optimizer.state
        run._change_masks()  # as at the start of the next step
        for weight_name, weight in run.weights.items():
            assert torch.equal(weight, begin[weight_name])
        assert not run._optimizer.state  # no momentum from the previous round
        assert run.quantizer.sparsity == pytest.approx(0.8 * rounds[event.step], abs=1e-3)
        fresh = start_run(recipe, name).quantizer
        fresh.masks = dict(run.quantizer.masks)
        fresh.init_scales(run.weights)
        for layer, scales in run.quantizer.scales.items():
            for scale, expected in zip(scales, fresh.scales[layer], strict=True):
                assert torch.equal(scale, expected)


def test_a_round_prunes_by_its_trained_weights(start_run, make_recipe):
    recipe = make_recipe(
        prune={"sparsity": 0.5}, sparsening="rewind", steps=4, optimizer="sgd", learning_rate=0.5
    )
    run = start_run(recipe)
    untrained = start_run(make_recipe(prune={"sparsity": 0.5}))
    for _event in run.go():
        pass
    differ = sum(
        int((mask != untrained.quantizer.masks[name]).sum())
        for name, mask in run.quantizer.masks.items()
    )
    assert differ > 0
