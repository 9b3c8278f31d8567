"""The moving average of weights: its arithmetic, and its use in a run."""

from __future__ import annotations

import pytest
import torch

from workbench.training.weight_average import WeightAverage


def test_the_average_by_hand() -> None:
    average = WeightAverage(0.2, first=1)
    weights = {"w": torch.tensor([8.0]), "count": torch.tensor(1)}
    average.update(1, weights)
    assert not average.mean  # pruning has not set all zeros yet
    average.update(2, weights)
    weights["w"] += 4.0
    weights["count"] += 1
    average.update(3, weights)
    assert average.mean["w"].item() == pytest.approx(0.2 * 8 + 0.8 * 12)
    assert average.mean["count"].item() == 2


def test_the_decay_warms_up() -> None:
    average = WeightAverage(0.9999, first=0)
    for value in (8.0, 20.0, 33.0):
        average.update(int(value), {"w": torch.tensor(value)})
    second = 3 / 12 * 8 + 9 / 12 * 20
    assert average.mean["w"].item() == pytest.approx(4 / 13 * second + 9 / 13 * 33)


def test_a_slow_average_forgets_its_start() -> None:
    average = WeightAverage(0.9999, first=0)
    for step in range(1, 501):
        average.update(step, {"w": torch.tensor(0.0 if step == 1 else 1.0)})
    assert average.mean["w"].item() > 0.999


def test_it_replaces_and_restores_weights() -> None:
    average = WeightAverage(0.5, first=0)
    average.update(1, {"w": torch.tensor([1.0])})
    weights = {"w": torch.tensor([5.0], requires_grad=True)}
    with average.applied_to(weights):
        assert weights["w"].item() == 1.0
    assert weights["w"].item() == 5.0
    average.copy_to(weights)
    assert weights["w"].item() == 1.0


def test_a_run_returns_the_average_of_its_last_steps(start_run, make_recipe, finish) -> None:
    settings = {"steps": 6, "learning_rate": 0.01, "sparsening": "linear"}
    pruned = {"prune": {"sparsity": 0.5}}
    plain, averaged = (
        start_run(make_recipe(**settings, **pruned)),
        start_run(make_recipe(**settings, **pruned, average=0.1)),
    )
    last = max(plain._shares)
    expected: dict[str, torch.Tensor] = {}
    for event in plain.go():
        if event.step > last:
            for name, weight in plain.weights.items():
                now = weight.detach().clone()
                expected[name] = now.lerp(expected[name], 0.1) if name in expected else now
    finish(averaged)
    for name, weight in averaged.trained().weights.items():
        torch.testing.assert_close(weight, expected[name])
        assert not torch.equal(weight, plain.trained().weights[name])


@pytest.mark.slow
def test_early_stopping_evaluates_the_average(start_run, make_recipe, finish) -> None:
    run = start_run(make_recipe(steps=20, patience=20, average=0.9, learning_rate=0.01))
    finish(run)
    assert run._stopping.best["step"] >= 1
    weights = run.trained().weights
    assert all(torch.equal(weights[name], w) for name, w in run._stopping.best["weights"].items())
    assert not all(torch.equal(run._average.mean[n], w) for n, w in weights.items()) or (
        run._stopping.best["step"] == 20
    )
