"""A limit on the latency steers the search: recipes that are too slow exclude no others."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import workbench as wb
from workbench.cancel import NEVER
from workbench.study import speed
from workbench.study.goal import Goal
from workbench.study.measurement import Job, measure_trial
from workbench.study.optimize import optimize
from workbench.study.speed import Speed, relative_work

pytestmark = pytest.mark.usefixtures("fresh")


def by_weights(_model, artifact, _target=None, _cancel=None):
    """Return a latency that is exactly the number of weights."""
    return float(sum(w.numel() for w in artifact.operands().values() if w.ndim > 1))


@pytest.fixture
def steady(monkeypatch):
    """Let latencies not depend on the machine, and the time of a search not on the tests."""
    monkeypatch.setenv("WORKBENCH_BUDGET", "60")
    monkeypatch.setattr(speed, "latency_ms", by_weights)


@pytest.mark.slow
@pytest.mark.parametrize(("removed", "sparsity", "bits"), [(0.3, 0.5, 3), (0.5, 0.2, 4)])
def test_three_limits_that_a_known_recipe_meets_are_met(tiny, steady, removed, sparsity, bits):
    known = wb.Recipe(
        structure=wb.Structure(removed), prune=wb.Prune(sparsity), quantize=wb.Quantize(bits)
    )
    trial = measure_trial(tiny, Job(known))
    milliseconds = by_weights(tiny, wb.compress(tiny, known))
    pruned = wb.Prune(0.8, criterion="curvature", scope="adaptive")
    smaller = measure_trial(tiny, Job(wb.Recipe(pruned, wb.Quantize(2, range="mse"))))
    assert smaller.bytes < trial.bytes  # a file that is too slow is smaller and better:
    assert smaller.accuracy > trial.accuracy - 0.003
    result = optimize(
        tiny,
        max_bytes=trial.bytes,
        min_accuracy=trial.accuracy - 0.003,
        max_latency_ms=milliseconds,
        seconds=15,
    )
    assert result.met
    assert by_weights(tiny, wb.compress(tiny, result.recipe)) == result.latency_ms <= milliseconds
    assert result.best.bytes <= trial.bytes
    assert result.best.accuracy >= trial.accuracy - 0.003


def new_speed(model, limit):
    goal = Goal.of(model, None, None, limit)
    return Speed(model, goal, None, NEVER, end=float("inf"))


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_as_few_channels_as_possible_are_removed(tiny, steady, share):
    original = by_weights(tiny, wb.compress(tiny, wb.Recipe()))
    found = new_speed(tiny, share * original)
    found.find_removed(share=1)
    steps = [removed for removed in speed.REMOVED if removed]
    enough = [
        removed
        for removed in steps
        if by_weights(tiny, wb.compress(tiny, wb.Recipe(structure=wb.Structure(removed))))
        <= share * original
    ]
    assert found.removed == min(enough)
    assert not found.may_be_fast(wb.Recipe(quantize=wb.Quantize(4)))
    narrowed = found.narrowed(wb.Recipe(quantize=wb.Quantize(4)))
    assert found.may_be_fast(narrowed)
    assert narrowed.quantize == wb.Quantize(4)


@pytest.mark.parametrize("limit", [1e9, 1.0], ids=["fast already", "never fast"])
def test_a_limit_that_channels_do_not_decide_changes_nothing(tiny, steady, limit):
    found = new_speed(tiny, limit)
    found.find_removed(share=1)
    assert found.removed == 0
    assert found.may_be_fast(wb.Recipe())


@pytest.mark.slow
def test_a_network_that_cannot_lose_channels(steady):
    torch.manual_seed(0)
    inputs, module = torch.randn(90, 4), nn.Linear(4, 2).eval()
    labels = module(inputs).argmax(1)
    parts = {"train": slice(0, 30), "validation": slice(30, 60), "test": slice(60, None)}
    data = {name: (inputs[part], labels[part]) for name, part in parts.items()}
    model = wb.from_module(module, **data, name="line")
    result = optimize(model, max_latency_ms=1.0, seconds=1)
    assert not result.met
    assert result.latency_ms == 8
    assert any("ms per example are" in text for text in result.violations)


def test_the_work_of_a_narrow_network():
    assert relative_work(wb.Recipe()) == 1
    assert relative_work(wb.Recipe(structure=wb.Structure(0.5))) == 0.25
    assert relative_work(wb.Recipe(train=wb.Train(start="scratch", width=0.5))) == 0.25
