"""The moving average: its arithmetic, and what a run keeps of it."""

from __future__ import annotations

import pytest
import torch

from workbench.training.weight_average import WeightAverage


def test_the_average_by_hand() -> None:
    average = WeightAverage(0.2, first=1)
    weights = {"w": torch.tensor([8.0]), "count": torch.tensor(1)}
    average.update(1, weights)
    assert not average.mean  # zeros are still to come
    average.update(2, weights)
    weights["w"] += 4.0
    weights["count"] += 1
    average.update(3, weights)
    assert average.mean["w"].item() == pytest.approx(0.2 * 8 + 0.8 * 12)
    assert average.mean["count"].item() == 2


def test_a_long_memory_does_not_remember_the_beginning() -> None:
    average = WeightAverage(0.9999, first=0)
    for step in range(1, 501):
        average.update(step, {"w": torch.tensor(0.0 if step == 1 else 1.0)})
    assert average.mean["w"].item() > 0.999


def test_it_stands_in_and_steps_back() -> None:
    average = WeightAverage(0.5, first=0)
    average.update(1, {"w": torch.tensor([1.0])})
    weights = {"w": torch.tensor([5.0], requires_grad=True)}
    with average.applied_to(weights):
        assert weights["w"].item() == 1.0
    assert weights["w"].item() == 5.0
    average.copy_to(weights)
    assert weights["w"].item() == 1.0


def test_a_run_keeps_the_average_of_its_last_steps(begun, recipe, finish) -> None:
    settings = {"steps": 6, "learning_rate": 0.01, "sparsening": "linear"}
    pruned = {"prune": {"sparsity": 0.5}}
    plain, averaged = (
        begun(recipe(**settings, **pruned)),
        begun(recipe(**settings, **pruned, average=0.1)),
    )
    last = max(plain._shares)
    expected: dict[str, torch.Tensor] = {}
    for moment in plain.go():
        if moment.step > last:
            for name, weight in plain.weights.items():
                now = weight.detach().clone()
                expected[name] = now.lerp(expected[name], 0.1) if name in expected else now
    finish(averaged)
    for name, weight in averaged.trained().weights.items():
        torch.testing.assert_close(weight, expected[name])
        assert not torch.equal(weight, plain.trained().weights[name])


def test_early_stopping_judges_the_average(begun, recipe, finish) -> None:
    run = begun(recipe(steps=20, patience=20, average=0.9, learning_rate=0.01))
    finish(run)
    assert run._stopping.best["step"] >= 1
    kept = run.trained().weights
    assert all(torch.equal(kept[name], w) for name, w in run._stopping.best["weights"].items())
    assert not all(torch.equal(run._average.mean[n], w) for n, w in kept.items()) or (
        run._stopping.best["step"] == 20
    )
