"""Cached results are not used for models, data or settings with a single difference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import workbench as wb
from workbench.cache import files
from workbench.cache.memory import MemoryCache
from workbench.cache.results import ResultCache
from workbench.calibration import statistics as calibration, structure
from workbench.evaluation.cached_results import cached_report, size_key
from workbench.session import Session
from workbench.training import compress, teacher
from workbench.zoo import registry

AGREE = 4
"""The first examples, for which the modules below return the same."""
STEP = {"steps": 3, "batch": 8, "threads": 1}


class Net(nn.Module):
    """Depends on its function only for negative inputs, which the first examples do not have."""

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
    rng = torch.Generator().manual_seed(seed)
    splits = {}
    for name in ("train", "validation", "test"):
        inputs = torch.randn(60, 4, generator=rng)
        inputs[:AGREE] = torch.rand(AGREE, 4, generator=rng)
        labels = (inputs.sum(1) * 2).long() % 3
        splits[name] = (inputs, inputs.sum(1, keepdim=True)) if numbers else (inputs, labels)
    return splits | changed


def other(split, **settings):
    """Return the splits of `data` with one changed after its first examples."""
    splits = data(**settings)
    inputs, targets = (part.clone() for part in splits[split])
    inputs[AGREE:] *= -1
    return splits | {split: (inputs, targets)}


def base(**changed):
    return {"module": Net(torch.relu), **data(), "name": "one", **changed}


def numbers(**changed):
    return {"module": Net(torch.relu, classes=1), **data(numbers=True), "name": "one", **changed}


SMALL = wb.Recipe(wb.Prune(0.5), wb.Quantize(4))
GRADIENT = wb.Recipe(wb.Prune(0.5, criterion="gradient"))
CURVATURE = wb.Recipe(wb.Prune(0.5, criterion="curvature"))
TRAINED = wb.Recipe(wb.Prune(0.5), train=wb.Train(**STEP))
STOPPED = wb.Recipe(train=wb.Train(**STEP | {"steps": 40}, patience=2, learning_rate=0.1))
CORRECTED = wb.Recipe(quantize=wb.Quantize(2), adjust=wb.Adjust("keep", biases="correct"))

# The difference: arguments of both models, the recipe, the split.
PAIRS = {
    "the name": (base, lambda: base(name="a-much-longer-name"), SMALL, "validation"),
    "the name of a trained model": (base, lambda: base(name="other"), TRAINED, "validation"),
    "an attribute": (
        lambda: base(module=Sloped(0.1)), lambda: base(module=Sloped(-3.0)), SMALL, "validation"
    ),
    "a function": (base, lambda: base(module=Net(torch.abs)), SMALL, "validation"),
    "a lambda": (
        lambda: base(module=Net(lambda x: x.clamp(min=0))),
        lambda: base(module=Net(lambda x: x.clamp(min=-9))),
        SMALL,
        "validation",
    ),
    "a buffer that is not saved": (
        base, lambda: base(module=Net(torch.relu, table=5.0)), SMALL, "validation"
    ),
    "gradients of another module": (
        lambda: base(module=Sloped(0.1)), lambda: base(module=Sloped(-3.0)), GRADIENT, "test"
    ),
    "inputs inside another module": (
        lambda: base(module=Sloped(0.1)), lambda: base(module=Sloped(-3.0)), CURVATURE, "test"
    ),
    "train data of gradients": (base, lambda: base(**other("train")), GRADIENT, "validation"),
    "train data of an adjustment": (
        base, lambda: base(**other("train")), CORRECTED, "validation"
    ),
    "train data": (base, lambda: base(**other("train")), TRAINED, "validation"),
    "validation data": (base, lambda: base(**other("validation")), SMALL, "validation"),
    "validation data of early stopping": (
        base, lambda: base(**other("validation")), STOPPED, "validation"
    ),
    "validation data of early stopping, tested": (
        base, lambda: base(**other("validation")), STOPPED, "test"
    ),
    "test data": (base, lambda: base(**other("test")), SMALL, "test"),
    "the metric": (
        numbers, lambda: numbers(metric="r2"), SMALL, "validation"
    ),
    "a custom metric": (
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
    """Return a function that empties all caches, as in a new process."""

    def clear():
        for module, name in ((calibration, "_cache"), (structure, "_cache"), (teacher, "_cache")):
            monkeypatch.setattr(module, name, MemoryCache(64))
        files.default_file_cache.cache_clear()
        monkeypatch.setattr(files.default_file_cache(), "_folder", None)

    yield clear
    files.default_file_cache.cache_clear()


def measured(arguments, recipe, split, store):
    model = wb.from_module(**arguments())
    report = wb.measure(model, recipe, split=split, timed=False, store=store)
    return replace(report, size=replace(report.size, training=None))  # without the duration


@pytest.mark.slow
@pytest.mark.parametrize("difference", PAIRS)
def test_models_with_a_single_difference_are_cached_separately(difference, forget, threads):
    one, another, recipe, split = PAIRS[difference]
    forget()
    expected = measured(another, recipe, split, ResultCache())
    forget()
    store = ResultCache()
    before = measured(one, recipe, split, store)
    assert measured(another, recipe, split, store) == expected
    assert replace(before, model=expected.model) != expected  # otherwise nothing is tested
    assert measured(one, recipe, split, store) == before


def test_results_of_an_equal_model_are_reused(forget, threads):
    forget()
    store = ResultCache()
    recipe = GRADIENT
    first = wb.from_module(**base())  # calibration statistics live as long as their model
    report = wb.measure(first, recipe, timed=False, store=store)
    again = wb.from_module(**base())
    assert cached_report(again, recipe, "validation", store) == report


def test_students_of_a_replaced_teacher_are_cached_separately(monkeypatch):
    student = wb.model("fashion/mlp-32")
    recipe = wb.Recipe(train=wb.Train(4, teacher="custom/big"))
    keys = set()
    for weights in ("one", "two"):
        big = replace(student.architecture, name="custom/big")
        registry.register_model(
            replace(student, architecture=big, card={**student.card, "sha256": weights})
        )
        keys |= {size_key(student, recipe, ""), compress._key(student, recipe)}
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
def test_a_session_drops_the_results_of_a_replaced_model(changed, forget, threads):
    forget()
    wb.from_module(**base())
    session = Session("custom/one", SMALL, store=ResultCache())
    try:
        first = session.analyze("comparison")
        wb.from_module(**base(**changed))
        session.open("custom/one", SMALL)
        assert session.analysis("comparison", None) is None
        second = session.analyze("comparison")
    finally:
        session.close()
    forget()
    expected = wb.compare(wb.model("custom/one"), SMALL)
    assert second.classes == expected.classes
    assert np.array_equal(second.before, expected.before)
    assert np.array_equal(second.after, expected.after)
    assert {visit.value for visit in session.visited} <= {expected.prediction_counts[1].accuracy}
    same = first.classes == expected.classes and np.array_equal(first.after, expected.after)
    assert not same  # otherwise nothing is tested
