"""Small networks trained on uploads, reproducibly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import workbench as wb
from workbench.cancel import CancelToken
from workbench.custom.uploads import small_models
from workbench.custom.uploads.splits import UploadedData, split_rows
from workbench.errors import Cancelled


def table(classes=("no", "yes"), rows=200):
    inputs = np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32)
    sums = inputs[:, 0] + inputs[:, 1]
    labels = (sums > 0).astype(np.int64) if classes else sums.astype(np.float32)
    parts = split_rows(labels if classes else np.zeros(rows, np.int64))
    return UploadedData(
        {n: (inputs[r], labels[r]) for n, r in parts.items()}, tuple(classes), "custom"
    )


def images(color, rows=60):
    labels = np.arange(rows) % 3
    pixels = np.random.default_rng(0).integers(0, 80, (rows, 28, 28, 3), np.uint8)
    for row, label in enumerate(labels):
        pixels[row, 4 + 8 * label : 8 + 8 * label] += 150
    pixels = pixels if color else pixels[..., 0]
    parts = split_rows(labels)
    return UploadedData(
        {n: (pixels[r], labels[r]) for n, r in parts.items()}, tuple("abc"), "image"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "metric"),
    [
        (table(), "accuracy"),
        (table(()), "r2"),
        (images(color=False), "accuracy"),
        (images(color=True), "accuracy"),
    ],
    ids=["classes", "a number", "gray", "color"],
)
def test_a_small_model_is_trained_and_can_be_compressed(data, metric, monkeypatch):
    monkeypatch.setattr(small_models, "STEPS", {"custom": 600, "image": 60})
    fractions = []
    model = small_models.train_small_model("mine", data, CancelToken(on_progress=fractions.append))
    assert (model.name, model.task.metric.name) == ("custom/mine", metric)
    assert model.metric_value("validation") > 0.85
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert wb.model("custom/mine") is model
    artifact = wb.compress(model, wb.Recipe(wb.Prune(0.3), wb.Quantize(8)))
    report = wb.measure(model, artifact.recipe, timed=False)
    assert len(artifact) == report.bytes < model.original_bytes
    assert report.value > 0.8
    assert wb.to_module(artifact)(model.task.inputs(data.parts["test"][0])).shape[1] == max(
        1, len(data.classes)
    )


@pytest.mark.slow
def test_the_same_upload_gives_the_same_weights(monkeypatch):
    monkeypatch.setattr(small_models, "STEPS", {"custom": 40, "image": 10})
    one, other = (
        small_models.train_small_model(name, table()).weights() for name in ("one", "other")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_cancelled_training_registers_no_model():
    with pytest.raises(Cancelled):
        small_models.train_small_model("gone", table(), cancel=CancelToken(lambda: True))
    assert "custom/gone" not in wb.models()
