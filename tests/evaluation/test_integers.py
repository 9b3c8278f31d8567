"""Files that round their inputs: measured as evaluated, for every model, whole or in part."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.artifact.artifact import Artifact
from workbench.evaluation.fast_path import FastPath
from workbench.evaluation.measure import evaluate
from workbench.evaluation.progress import reference_counts
from workbench.evaluation.reference import predict
from workbench.recipe import Activations, Quantize, Recipe


@pytest.mark.parametrize("name", wb.models("fashion"))
def test_every_model_runs_on_integers(name, shortened, store):
    shortened(1000)
    model = wb.model(name)
    original = reference_counts(model, model.weights(), model.task.split("validation"))
    for exclude in ((), *((layer,) for layer in model.layers[:3])):
        recipe = Recipe(quantize=Quantize(8), activations=Activations(8, exclude=exclude))
        report = wb.measure(model, recipe, timed=False, store=store)
        file = Artifact.from_bytes(wb.compress(model, recipe).to_bytes())
        again = evaluate(file, timed=False)
        assert (again.confusion, again.size) == (report.confusion, report.size)
        assert report.examples == 1000
        assert abs(report.accuracy - original.accuracy) < 0.01


@pytest.mark.parametrize("name", ["fashion/lenet5", "fashion/resnet"])
def test_predictions_hang_on_neither_batches_nor_threads(name, threads):
    model = wb.model(name)
    recipe = Recipe(quantize=Quantize(4), activations=Activations(4, observer="histogram"))
    file = wb.compress(model, recipe)
    shaped, operands = model.with_spec(file.spec), file.operands()
    images = model.task.split("validation").examples[:500]
    whole = predict(shaped, operands, images)
    ones = np.concatenate([predict(shaped, operands, images[n : n + 1]) for n in range(40)])
    assert (ones == whole[:40]).all()
    threads(2)
    assert (predict(shaped, operands, images) == whole).all()
    assert (FastPath(shaped, operands).predict(images[::-1].copy())[::-1] == whole).all()


def test_a_network_of_layers_equals_whole_numbers_in_numpy():
    """The hidden layer of mlp-32 by 64-bit integers, example by example."""
    model = wb.model("fashion/mlp-32")
    file = wb.compress(model, Recipe(quantize=Quantize(8), activations=Activations(8)))
    operands, grids = file.operands(), dict(file.spec.inputs)
    images = model.task.split("validation").examples[:300]
    values = model.task.inputs(images).double().flatten(1).numpy()
    for layer in ("fc1", "fc2"):
        grid = grids[layer]
        codes = np.rint(values / grid.scale) + grid.zero_point
        codes = codes.clip(0, grid.top).astype(np.int64) - grid.zero_point
        counts = operands[f"{layer}.weight_scale"].double().numpy()
        weight = np.rint(operands[f"{layer}.weight"].double().numpy() / counts[:, None])
        sums = codes @ weight.astype(np.int64).T
        scale = counts * grid.scale
        values = sums * scale + operands[f"{layer}.bias"].double().numpy()
        hidden, values = values, np.maximum(values, 0)
    shaped = model.with_spec(file.spec)
    assert (predict(shaped, operands, images) == hidden.argmax(axis=1)).all()
