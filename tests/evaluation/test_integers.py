"""Files with quantized activations: measured and evaluated reports are equal."""

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


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models("fashion"))
def test_every_model_runs_with_integer_activations(name, shortened, store):
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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/lenet5", "fashion/resnet"])
def test_predictions_do_not_depend_on_batch_or_threads(name, threads):
    model = wb.model(name)
    recipe = Recipe(quantize=Quantize(4), activations=Activations(4, observer="histogram"))
    file = wb.compress(model, recipe)
    shaped, operands = model.with_spec(file.spec), file.operands()
    images = model.task.split("validation").examples[:500]
    expected = predict(shaped, operands, images)
    singles = np.concatenate([predict(shaped, operands, images[n : n + 1]) for n in range(40)])
    assert (singles == expected[:40]).all()
    threads(2)
    assert (predict(shaped, operands, images) == expected).all()
    assert (FastPath(shaped, operands).predict(images[::-1].copy())[::-1] == expected).all()


def test_layers_equal_integer_arithmetic_in_numpy():
    """Compute mlp-32 with int64 in NumPy."""
    model = wb.model("fashion/mlp-32")
    file = wb.compress(model, Recipe(quantize=Quantize(8), activations=Activations(8)))
    operands, qparams = file.operands(), dict(file.spec.inputs)
    images = model.task.split("validation").examples[:300]
    values = model.task.inputs(images).double().flatten(1).numpy()
    for layer in ("fc1", "fc2"):
        params = qparams[layer]
        codes = np.rint(values / params.scale) + params.zero_point
        codes = codes.clip(0, params.top).astype(np.int64) - params.zero_point
        weight_scale = operands[f"{layer}.weight_scale"].double().numpy()
        weight = np.rint(operands[f"{layer}.weight"].double().numpy() / weight_scale[:, None])
        sums = codes @ weight.astype(np.int64).T
        scale = weight_scale * params.scale
        values = sums * scale + operands[f"{layer}.bias"].double().numpy()
        hidden, values = values, np.maximum(values, 0)
    shaped = model.with_spec(file.spec)
    assert (predict(shaped, operands, images) == hidden.argmax(axis=1)).all()
