"""What was measured before is never taken for what differs from it in one thing alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import workbench as wb
from workbench import pipeline
from workbench.cache import files
from workbench.cache.memory import MemoryCache
from workbench.cache.results import ResultCache
from workbench.calibration import prepare
from workbench.calibration import statistics as calibration
from workbench.evaluation.cached_results import cached_report, size_key
from workbench.session import Session
from workbench.training import teacher
from workbench.zoo import registry

AGREE = 4
"""The first examples, on which the modules below compute the same."""
STEP = {"steps": 3, "batch": 8, "threads": 1}


class Net(nn.Module):
    """Differs from others of its kind where inputs are negative, which the first ones are not."""

    def __init__(self, function, table=0.0, classes=3):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(4, 8), nn.Linear(8, classes)
        with torch.no_grad():
            for weight in (self.first.weight, self.last.weight):
                weight.normal_()
        self.function = function
        self.register_buffer("table", torch.tensor(table), persistent=False)

    def forward(self, x):
        return self.last(torch.relu(self.first(self.function(x) + self.table * (x < 0))))


class Sloped(Net):
    def __init__(self, slope):
        super().__init__(self.leaky)
        self.slope = slope

    def leaky(self, x):
        return F.leaky_relu(x, self.slope)


def data(seed=0, numbers=False, **changed):
    """Return three splits whose first examples are all positive."""
    lot = torch.Generator().manual_seed(seed)
    splits = {}
    for name in ("train", "validation", "test"):
        inputs = torch.randn(60, 4, generator=lot)
        inputs[:AGREE] = torch.rand(AGREE, 4, generator=lot)
        labels = (inputs.sum(1) * 2).long() % 3
        splits[name] = (inputs, inputs.sum(1, keepdim=True)) if numbers else (inputs, labels)
    return splits | changed


def other(split, **settings):
    """Return the splits of `data` with one changed behind its first examples."""
    splits = data(**settings)
    inputs, targets = (part.clone() for part in splits[split])
    inputs[AGREE:] *= -1
    return splits | {split: (inputs, targets)}


def plain(**changed):
    return {"module": Net(torch.relu), **data(), "name": "one", **changed}


def numbers(**changed):
    return {"module": Net(torch.relu, classes=1), **data(numbers=True), "name": "one", **changed}


SMALL = wb.Recipe(wb.Prune(0.5), wb.Quantize(4))
GRADIENT = wb.Recipe(wb.Prune(0.5, criterion="gradient"))
CURVATURE = wb.Recipe(wb.Prune(0.5, criterion="curvature"))
TRAINED = wb.Recipe(wb.Prune(0.5), train=wb.Train(**STEP))
STOPPED = wb.Recipe(train=wb.Train(**STEP | {"steps": 40}, patience=2, learning_rate=0.1))
CORRECTED = wb.Recipe(quantize=wb.Quantize(2), adjust=wb.Adjust("keep", biases="correct"))

# What differs: how both are brought, the recipe, the split.
PAIRS = {
    "the name": (plain, lambda: plain(name="a-much-longer-name"), SMALL, "validation"),
    "the name of a trained one": (plain, lambda: plain(name="other"), TRAINED, "validation"),
    "an attribute": (
        lambda: plain(module=Sloped(0.1)), lambda: plain(module=Sloped(-3.0)), SMALL, "validation"
    ),
    "a function": (plain, lambda: plain(module=Net(torch.abs)), SMALL, "validation"),
    "a lambda": (
        lambda: plain(module=Net(lambda x: x.clamp(min=0))),
        lambda: plain(module=Net(lambda x: x.clamp(min=-9))),
        SMALL,
        "validation",
    ),
    "a buffer that is not saved": (
        plain, lambda: plain(module=Net(torch.relu, table=5.0)), SMALL, "validation"
    ),
    "gradients of another module": (
        lambda: plain(module=Sloped(0.1)), lambda: plain(module=Sloped(-3.0)), GRADIENT, "test"
    ),
    "inputs inside another module": (
        lambda: plain(module=Sloped(0.1)), lambda: plain(module=Sloped(-3.0)), CURVATURE, "test"
    ),
    "train data of gradients": (plain, lambda: plain(**other("train")), GRADIENT, "validation"),
    "train data of an adjustment": (
        plain, lambda: plain(**other("train")), CORRECTED, "validation"
    ),
    "train data": (plain, lambda: plain(**other("train")), TRAINED, "validation"),
    "validation data": (plain, lambda: plain(**other("validation")), SMALL, "validation"),
    "validation data that stop it": (
        plain, lambda: plain(**other("validation")), STOPPED, "validation"
    ),
    "validation data that stop it, tested": (
        plain, lambda: plain(**other("validation")), STOPPED, "test"
    ),
    "test data": (plain, lambda: plain(**other("test")), SMALL, "test"),
    "the metric": (
        numbers, lambda: numbers(metric="explained variance"), SMALL, "validation"
    ),
    "a metric of one's own": (
        lambda: numbers(metric=lambda outputs, targets: 1.0),
        lambda: numbers(metric=lambda outputs, targets: 2.0),
        SMALL,
        "validation",
    ),
    "the loss": (
        lambda: numbers(loss=F.mse_loss), lambda: numbers(loss=F.l1_loss), TRAINED, "validation"
    ),
}  # fmt: skip


@pytest.fixture
def forget(monkeypatch):
    """Make this process know nothing, as a new one with an empty folder would."""

    def forgotten():
        for place, name in ((calibration, "_cache"), (prepare, "_cache"), (teacher, "_cache")):
            monkeypatch.setattr(place, name, MemoryCache(64))
        files.default_file_cache.cache_clear()
        monkeypatch.setattr(files.default_file_cache(), "where", None)

    yield forgotten
    files.default_file_cache.cache_clear()


def measured(how, recipe, split, store):
    model = wb.from_module(**how())
    found = wb.measure(model, recipe, split=split, timed=False, store=store)
    return replace(found, size=replace(found.size, training=None))  # how long it took


@pytest.mark.parametrize("what", PAIRS)
def test_two_that_differ_in_one_thing_have_results_of_their_own(what, forget, threads):
    one, another, recipe, split = PAIRS[what]
    forget()
    right = measured(another, recipe, split, ResultCache())
    forget()
    store = ResultCache()
    before = measured(one, recipe, split, store)
    assert measured(another, recipe, split, store) == right
    assert replace(before, model=right.model) != right  # else nothing was tried
    assert measured(one, recipe, split, store) == before


def test_what_is_the_same_is_found_again(forget, threads):
    forget()
    store = ResultCache()
    recipe = GRADIENT
    first = wb.from_module(**plain())  # calibration statistics are kept as long as their model
    report = wb.measure(first, recipe, timed=False, store=store)
    again = wb.from_module(**plain())
    assert cached_report(again, recipe, "validation", store) == report


def test_a_teacher_that_is_another_now_has_taught_another_student(monkeypatch):
    student = wb.model("fashion/mlp-32")
    recipe = wb.Recipe(train=wb.Train(4, teacher="custom/big"))
    keys = set()
    for weights in ("one", "two"):
        big = replace(student.architecture, name="custom/big")
        registry.register_model(
            replace(student, architecture=big, card={**student.card, "sha256": weights})
        )
        keys |= {size_key(student, recipe, ""), pipeline._key(student, recipe)}
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    assert cached_report(student, recipe, "validation", ResultCache()) is None
    assert len(keys) == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"classes": ["a", "b", "c"]},
        other("validation"),
        {"module": Net(torch.abs)},
    ],
    ids=["class names", "validation data", "module"],
)
def test_a_session_forgets_what_was_found_about_a_namesake(changed, forget, threads):
    forget()
    wb.from_module(**plain())
    session = Session("custom/one", SMALL, store=ResultCache())
    try:
        first = session.analyze("changes")
        wb.from_module(**plain(**changed))
        session.open("custom/one", SMALL)
        assert session.found("changes", None) is None
        second = session.analyze("changes")
    finally:
        session.close()
    forget()
    right = wb.compare(wb.model("custom/one"), SMALL)
    assert second.classes == right.classes
    assert np.array_equal(second.before, right.before)
    assert np.array_equal(second.after, right.after)
    assert {visit.value for visit in session.visited} <= {right.prediction_counts[1].accuracy}
    same = first.classes == right.classes and np.array_equal(first.after, right.after)
    assert not same  # else nothing was tried
