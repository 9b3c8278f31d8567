"""Early stopping: when it ends a run, and which weights it leaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import workbench as wb
from workbench.domain.metric import ACCURACY, RMSE
from workbench.recipe import Train
from workbench.training.early_stopping import CHECKS, EarlyStopping
from workbench.training.run import Run
from workbench.training.setup import training_setup

HARSH = {"optimizer": "sgd", "learning_rate": 2.0, "steps": 40, "patience": 2}


def judged(found: list[float], *, patience: int, metric=ACCURACY):
    """Tell of one look after another until it is over; return it and the step of its end."""
    steps = CHECKS
    stopping = EarlyStopping(Train(steps=steps, patience=patience), 0, metric)
    answers = iter(found)
    for step in range(1, steps + 1):
        if stopping.due(step):
            stopping.judge(step, next(answers), {"w": torch.tensor(step)}, {})
            if stopping.over:
                return stopping, step
    return stopping, steps


@pytest.mark.parametrize(
    ("found", "patience", "best", "end"),
    [
        ([0.5, 0.6, 0.6, 0.4, 0.9], 2, 2, 4),  # as good as the best is no gain
        ([0.5, 0.4, 0.6, 0.5, 0.5, 0.9], 2, 3, 5),
        ([0.9, *[0.1] * 19], 20, 1, 20),
        ([n / 20 for n in range(20)], 1, 20, 20),
    ],
)
def test_it_ends_when_patience_does(found, patience, best, end) -> None:
    stopping, step = judged(found, patience=patience)
    assert (stopping.best["step"], step) == (best, end)
    assert stopping.best["weights"]["w"] == best


@pytest.mark.parametrize(
    ("found", "best", "end"),
    [
        ([0.5, 0.4, 0.4, 0.6, 0.1], 2, 4),  # less is better, and as good as the best is no gain
        ([float("nan"), float("inf"), 0.5, 0.6, 0.7], 3, 5),  # any figure is better than none
        ([0.5, float("nan"), float("nan"), 0.1], 1, 3),
    ],
)
def test_it_knows_where_less_is_better(found, best, end) -> None:
    stopping, step = judged(found, patience=2, metric=RMSE)
    assert (stopping.best["step"], step) == (best, end)


def largest(outputs, targets):
    """Return the largest error."""
    return float((outputs - targets).abs().max())


def least(outputs, targets):
    """Return minus the largest error."""
    return -largest(outputs, targets)


def far(outputs, targets):
    """Return the largest error, and take more for better."""
    return largest(outputs, targets)


largest.higher_is_better = False
BY_HAND = {
    None: lambda outputs, targets: float((outputs - targets).square().mean().sqrt()),
    "explained variance": lambda outputs, targets: float(
        1 - (outputs - targets).square().mean() / targets.var(correction=0)
    ),
    largest: largest,
    least: least,
}


@pytest.mark.parametrize("metric", BY_HAND)
def test_the_best_look_is_the_best_by_the_metric_of_the_task(linear, metric) -> None:
    """Steps as large as these do not settle: its looks go up and down."""
    settings = {"optimizer": "sgd", "schedule": "constant", "learning_rate": 0.3, "batch": 4}
    model = linear(metric)
    recipe = wb.Recipe(train=Train(20, start="scratch", threads=1, patience=20, **settings))
    run, looks = Run(training_setup(model, recipe), recipe), []
    look: Callable[..., None] = run._stopping.judge

    def noted(step, value, weights, view) -> None:
        looks.append(value)
        look(step, value, weights, view)

    run._stopping.judge = noted
    for _moment in run.go():
        pass
    assert len(set(looks)) == CHECKS
    assert looks[-1] != run._stopping.best["value"]
    wanted = max if model.task.metric.higher_is_better else min
    assert run._stopping.best["value"] == wanted(looks)
    split = model.task.split("validation")
    inputs, targets = torch.as_tensor(split.examples), torch.as_tensor(split.labels)
    weights = run.trained().weights
    outputs = inputs @ weights["weight"].T + weights["bias"]
    assert BY_HAND[metric](outputs, targets) == pytest.approx(wanted(looks), rel=1e-5)


def test_a_file_kept_by_one_metric_is_not_that_of_another(linear) -> None:
    settings = {"optimizer": "sgd", "schedule": "constant", "learning_rate": 0.3, "batch": 4}
    recipe = wb.Recipe(train=Train(20, start="scratch", threads=1, patience=20, **settings))
    files = [
        wb.compress(linear(metric), recipe).weights() for metric in ("explained variance", far)
    ]
    assert not torch.equal(files[0]["weight"], files[1]["weight"])


def test_looks_begin_when_all_zeros_have_come() -> None:
    stopping = EarlyStopping(Train(steps=100, patience=1), first=66)
    assert [step for step in range(1, 101) if stopping.due(step)] == [70, 75, 80, 85, 90, 95, 100]


def test_few_steps_still_have_a_look() -> None:
    assert EarlyStopping(Train(steps=1, patience=1), first=0).due(1)


def test_a_run_ends_early_with_its_best_weights(begun, recipe, finish) -> None:
    looks: dict[int, float] = {}
    run = begun(recipe(**HARSH))
    look: Callable[..., None] = run._stopping.judge

    def noted(step, accuracy, weights, view) -> None:
        looks[step] = accuracy
        look(step, accuracy, weights, view)

    run._stopping.judge = noted
    moments = finish(run)
    assert moments[-1].step == run.trained().steps < HARSH["steps"]
    assert [moment.over for moment in moments] == [*[False] * (len(moments) - 1), True]
    best = max(looks, key=lambda step: (looks[step], -step))
    assert best == moments[-1].step - 2 * HARSH["steps"] // CHECKS

    short = begun(recipe(**HARSH | {"patience": 0, "schedule": "constant"}))
    same = begun(recipe(**HARSH | {"schedule": "constant"}))
    finish(same)
    end = same._stopping.best["step"]
    for moment in short.go():
        if moment.step == end:
            break
    for name, weight in short.trained().weights.items():
        assert torch.equal(weight, same.trained().weights[name])


def test_it_judges_by_the_validation_images(begun, recipe, finish) -> None:
    run = begun(recipe(**HARSH))
    finish(run)
    model = wb.model("fashion/lenet-300-100")
    split = model.task.split("validation")
    from workbench.evaluation.progress import reference_counts as exactly

    found = exactly(model, run.trained().weights, split).accuracy
    assert run._stopping.best["value"] == pytest.approx(found, abs=2 / len(split))


def test_dropout_and_batch_norm_rest_during_a_look(begun, recipe, finish, same) -> None:
    """What is looked at changes nothing of what is learned."""
    name = "fashion/resnet"
    settings = {"dropout": 0.3, "steps": 2, "batch": 16}
    plain, watched = begun(recipe(**settings), name), begun(recipe(**settings, patience=20), name)
    finish(plain)
    finish(watched)
    best = watched._stopping.best["step"]
    if best < 2:
        plain = begun(recipe(**settings), name)
        next(iter(plain.go()))
    assert same(plain.trained().weights, watched.trained().weights)
