"""Early stopping: when it ends a run, and which weights result."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import workbench as wb
from workbench.domain.metric import ACCURACY, RMSE
from workbench.evaluation.progress import reference_counts
from workbench.recipe import Train
from workbench.training.early_stopping import CHECKS, EarlyStopping
from workbench.training.run import Run
from workbench.training.setup import training_setup

HARSH = {"optimizer": "sgd", "learning_rate": 2.0, "steps": 40, "patience": 2}


def stopped(values: list[float], *, patience: int, metric=ACCURACY):
    """Record `values` until patience is exhausted; return the early stopping and the last step."""
    steps = CHECKS
    stopping = EarlyStopping(Train(steps=steps, patience=patience), 0, metric)
    remaining = iter(values)
    for step in range(1, steps + 1):
        if stopping.is_due(step):
            stopping.record(step, next(remaining), {"w": torch.tensor(step)}, {})
            if stopping.over:
                return stopping, step
    return stopping, steps


@pytest.mark.parametrize(
    ("values", "patience", "best", "end"),
    [
        ([0.5, 0.6, 0.6, 0.4, 0.9], 2, 2, 4),  # a tie is no improvement
        ([0.5, 0.4, 0.6, 0.5, 0.5, 0.9], 2, 3, 5),
        ([0.9, *[0.1] * 19], 20, 1, 20),
        ([n / 20 for n in range(20)], 1, 20, 20),
    ],
)
def test_it_ends_when_patience_is_exhausted(values, patience, best, end) -> None:
    stopping, step = stopped(values, patience=patience)
    assert (stopping.best["step"], step) == (best, end)
    assert stopping.best["weights"]["w"] == best


def test_checks_begin_after_the_step_before_which_pruning_ends() -> None:
    stopping = EarlyStopping(Train(steps=CHECKS, patience=1), 7)
    due = [step for step in range(1, CHECKS + 1) if stopping.is_due(step)]
    assert due == list(range(8, CHECKS + 1))
    assert stopping.checks == len(due)


@pytest.mark.parametrize(
    ("values", "best", "end"),
    [
        ([0.5, 0.4, 0.4, 0.6, 0.1], 2, 4),  # lower is better, and a tie is no improvement
        ([float("nan"), float("inf"), 0.5, 0.6, 0.7], 3, 5),  # any number is better than NaN
        ([0.5, float("nan"), float("nan"), 0.1], 1, 3),
    ],
)
def test_lower_is_better_for_some_metrics(values, best, end) -> None:
    stopping, step = stopped(values, patience=2, metric=RMSE)
    assert (stopping.best["step"], step) == (best, end)


def largest(outputs, targets):
    """Return the largest error."""
    return float((outputs - targets).abs().max())


def least(outputs, targets):
    """Return minus the largest error."""
    return -largest(outputs, targets)


def far(outputs, targets):
    """Return the largest error, as a metric of which higher is better."""
    return largest(outputs, targets)


largest.higher_is_better = False
BY_HAND = {
    None: lambda outputs, targets: float((outputs - targets).square().mean().sqrt()),
    "r2": lambda outputs, targets: float(
        1 - (outputs - targets).square().mean() / targets.var(correction=0)
    ),
    largest: largest,
    least: least,
}


@pytest.mark.parametrize("metric", BY_HAND)
def test_the_best_check_is_the_best_by_the_metric_of_the_task(linear, metric) -> None:
    """Steps this large do not converge, so the checks go up and down."""
    settings = {"optimizer": "sgd", "schedule": "constant", "learning_rate": 0.3, "batch": 4}
    model = linear(metric)
    recipe = wb.Recipe(train=Train(20, start="scratch", threads=1, patience=20, **settings))
    run, values = Run(training_setup(model, recipe), recipe), []
    record: Callable[..., None] = run._stopping.record

    def noted(step, value, weights, quantizer) -> None:
        values.append(value)
        record(step, value, weights, quantizer)

    run._stopping.record = noted
    for _event in run.go():
        pass
    assert len(set(values)) == CHECKS
    assert values[-1] != run._stopping.best["value"]
    best = max if model.task.metric.higher_is_better else min
    assert run._stopping.best["value"] == best(values)
    split = model.task.split("validation")
    inputs, targets = torch.as_tensor(split.examples), torch.as_tensor(split.labels)
    weights = run.trained().weights
    outputs = inputs @ weights["weight"].T + weights["bias"]
    assert BY_HAND[metric](outputs, targets) == pytest.approx(best(values), rel=1e-5)


def test_files_cached_for_different_metrics_differ(linear) -> None:
    settings = {"optimizer": "sgd", "schedule": "constant", "learning_rate": 0.3, "batch": 4}
    recipe = wb.Recipe(train=Train(20, start="scratch", threads=1, patience=20, **settings))
    files = [wb.compress(linear(metric), recipe).weights() for metric in ("r2", far)]
    assert not torch.equal(files[0]["weight"], files[1]["weight"])


def test_checks_begin_when_all_zeros_are_set() -> None:
    stopping = EarlyStopping(Train(steps=100, patience=1), first=66)
    assert [step for step in range(1, 101) if stopping.is_due(step)] == [
        70,
        75,
        80,
        85,
        90,
        95,
        100,
    ]


def test_few_steps_still_have_a_check() -> None:
    assert EarlyStopping(Train(steps=1, patience=1), first=0).is_due(1)


@pytest.mark.slow
def test_a_run_ends_early_with_its_best_weights(start_run, make_recipe, finish) -> None:
    values: dict[int, float] = {}
    run = start_run(make_recipe(**HARSH))
    record: Callable[..., None] = run._stopping.record

    def noted(step, accuracy, weights, quantizer) -> None:
        values[step] = accuracy
        record(step, accuracy, weights, quantizer)

    run._stopping.record = noted
    events = finish(run)
    assert events[-1].step == run.trained().steps < HARSH["steps"]
    assert [event.over for event in events] == [*[False] * (len(events) - 1), True]
    best = max(values, key=lambda step: (values[step], -step))
    assert best == events[-1].step - 2 * HARSH["steps"] // CHECKS

    short = start_run(make_recipe(**HARSH | {"patience": 0, "schedule": "constant"}))
    same = start_run(make_recipe(**HARSH | {"schedule": "constant"}))
    finish(same)
    end = same._stopping.best["step"]
    for event in short.go():
        if event.step == end:
            break
    for name, weight in short.trained().weights.items():
        assert torch.equal(weight, same.trained().weights[name])


@pytest.mark.slow
def test_it_evaluates_on_the_validation_images(start_run, make_recipe, finish) -> None:
    run = start_run(make_recipe(**HARSH))
    finish(run)
    model = wb.model("fashion/lenet-300-100")
    split = model.task.split("validation")
    accuracy = reference_counts(model, run.trained().weights, split).accuracy
    assert run._stopping.best["value"] == pytest.approx(accuracy, abs=2 / len(split))


@pytest.mark.slow
def test_dropout_and_batch_norm_are_off_during_a_check(
    start_run, make_recipe, finish, same
) -> None:
    """Checks do not change the training."""
    name = "fashion/resnet"
    settings = {"dropout": 0.3, "steps": 2, "batch": 16}
    plain, checked = (
        start_run(make_recipe(**settings), name),
        start_run(make_recipe(**settings, patience=20), name),
    )
    finish(plain)
    finish(checked)
    best = checked._stopping.best["step"]
    if best < 2:
        plain = start_run(make_recipe(**settings), name)
        next(iter(plain.go()))
    assert same(plain.trained().weights, checked.trained().weights)
