"""The fast path: predictions equal those of the reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import max_pool2d

import workbench as wb
from workbench.evaluation import fast_path as fast_paths
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.reference import predict
from workbench.runtime import shell as shells

FIRST = 256
MODELS = {
    "fashion/lenet-300-100": (12, 1000),
    "fashion/lenet5": (8, 500),
    "fashion/resnet": (3, 280),
}


def run_fast_path(fast_path, images, batch=250):
    predictions = [fast_path.first(images[:FIRST])]
    fast_path.calibrate()
    starts = range(FIRST, len(images), batch)
    predictions += [fast_path.predict(images[start : start + batch]) for start in starts]
    return np.concatenate(predictions)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_fast_path_equals_reference(name, recipes):
    model = wb.model(name)
    count, examples = MODELS[name]
    images = model.task.split("validation").examples[:examples]
    for recipe in recipes(model, count, seed="sieve"):
        artifact = wb.compress(model, recipe)
        shaped, weights = model.with_spec(artifact.spec), artifact.operands()
        expected = predict(shaped, weights, images)
        for bfloat16 in (False, True):
            found = run_fast_path(FastPath(shaped, weights, bfloat16=bfloat16), images)
            message = f"{recipe.to_json()} {bfloat16=}"
            np.testing.assert_array_equal(found, expected, err_msg=message)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_bfloat16_decides_most_examples(name, monkeypatch):
    model = wb.model(name)
    images = model.task.split("validation").examples[:1000]
    float32_counts = []
    classify_float32 = FastPath._classify_float32
    monkeypatch.setattr(
        FastPath,
        "_classify_float32",
        lambda self, examples, outputs: (
            float32_counts.append(len(examples)) or classify_float32(self, examples, outputs)
        ),
    )
    fast_path = FastPath(model, model.weights(), bfloat16=True)
    run_fast_path(fast_path, images)
    assert fast_path.bfloat16_weights is not None
    assert 0 < fast_path.bound < 1
    assert sum(float32_counts[1:]) < 0.25 * (len(images) - FIRST)


def test_float32_only_if_bfloat16_is_disabled(small):
    fast_path = FastPath(small, small.weights(), bfloat16=False)
    fast_path.first(small.task.split("validation").examples[:FIRST])
    fast_path.calibrate()
    assert fast_path.bfloat16_weights is None


def test_float32_only_if_bfloat16_leaves_too_many_undecided(small, monkeypatch):
    monkeypatch.setattr(fast_paths, "MAX_UNDECIDED", -1.0)
    fast_path = FastPath(small, small.weights(), bfloat16=True)
    fast_path.first(small.task.split("validation").examples[:FIRST])
    fast_path.calibrate()
    assert fast_path.bfloat16_weights is None


@pytest.mark.parametrize("faster", [False, True])
def test_precisions_are_timed_once(small, monkeypatch, faster):
    monkeypatch.setattr(fast_paths, "_bfloat16_is_faster", {})
    monkeypatch.setattr(fast_paths, "processor_has_bfloat16", lambda: True)
    times = iter([1.0, 2.0] if faster else [2.0, 2.0])
    monkeypatch.setattr(fast_paths, "_seconds", lambda run: next(times))
    for _ in range(2):
        fast_path = FastPath(small, small.weights())
        fast_path.first(small.task.split("validation").examples[:FIRST])
        fast_path.calibrate()
        assert (fast_path.bfloat16_weights is not None) == faster


def test_a_processor_without_bfloat16_is_not_timed(small, monkeypatch):
    monkeypatch.setattr(fast_paths, "processor_has_bfloat16", lambda: False)
    monkeypatch.setattr(fast_paths, "_seconds", lambda _run: pytest.fail("timed"))
    fast_path = FastPath(small, small.weights())
    fast_path.first(small.task.split("validation").examples[:FIRST])
    fast_path.calibrate()
    assert fast_path.bfloat16_weights is None


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["everywhere", "one bias", "one image"])
def test_constant_and_non_finite_outputs(small, bfloat16, value, where):
    images = small.task.split("validation").examples[:900].copy()
    weights = {name: w.clone() for name, w in small.weights().items()}
    if where == "everywhere":
        weights["fc3.weight"][:] = weights["fc3.bias"][:] = value
    elif where == "one bias":
        weights["fc3.bias"][4] = value
    else:  # a pixel that is nonzero in a single image has the weight `value`
        images[:, 0, 0] = 0
        images[700, 0, 0] = 255
        weights["fc1.weight"][:, 0] = value
        if not np.isfinite(value):  # 0 · NaN would affect the others, too
            weights["fc1.weight"][:, 0] = 3e38
    expected = predict(small, weights, images)
    found = run_fast_path(FastPath(small, weights, bfloat16=bfloat16), images)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (2, 3, 7, 5), (3, 20, 24, 24), (1, 5, 3, 10)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_block_max_equals_max_pooling(size, shape, layout):
    inputs = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    inputs = inputs.contiguous(memory_format=layout)
    inputs[0, 0, 0, 0] = float("nan")
    found = shells.BlockMax(size)(inputs)
    torch.testing.assert_close(found, max_pool2d(inputs, size), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    ("pool", "swapped"),
    [
        (nn.MaxPool2d(2), True),
        (nn.MaxPool2d(3, 3), True),
        (nn.MaxPool2d(3, 2), False),
        (nn.MaxPool2d(2, padding=1), False),
        (nn.MaxPool2d(2, dilation=2), False),
        (nn.MaxPool2d(2, ceil_mode=True), False),
        (nn.MaxPool2d((2, 1)), False),
        (nn.MaxPool2d(2, return_indices=True), False),
        (nn.AvgPool2d(2), False),
    ],
)
def test_only_non_overlapping_pooling_is_replaced(pool, swapped):
    nested = nn.Sequential(nn.Sequential(pool))
    shells.speed_up(nested)
    assert isinstance(nested[0][0], shells.BlockMax) == swapped


def test_shells_are_cached_per_thread(small):
    assert shells.shell(small) is shells.shell(small)
    assert shells.shell(small) is not shells.shell(small, fast=True)
    assert all(p.is_meta for p in shells.shell(small).module.parameters())
