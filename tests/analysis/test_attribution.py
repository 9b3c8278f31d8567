"""Attributions sum to the logit difference and explain the reference prediction."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch.func import functional_call

import workbench as wb
from tests.raises import raises
from tests.untrained import untrained
from workbench.analysis.attribution import TOLERANCE, explain
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.evaluation.reference import predict
from workbench.runtime.batch import call
from workbench.zoo.reviews.words import tokens

HARSH = wb.Recipe.from_json('{"prune": {"sparsity": 0.7}, "quantize": {"bits": 3}}')


def logit(model, weights, image, label):
    with torch.no_grad():
        outputs = functional_call(model.module(), dict(weights), (model.task.inputs(image),))
    return float(outputs[0, label])


@pytest.mark.slow
@pytest.mark.parametrize("name", wb.models("fashion"))
def test_pixel_attributions_sum_to_logit_difference(name):
    model = wb.model(name)
    decoded = wb.compress(model, HARSH).weights()
    result = wb.attribution(model, HARSH, 9)
    image = model.task.split("validation").examples[9:10]
    for weights, side in ((model.weights(), result.before), (decoded, result.after)):
        difference = logit(model, weights, image, side.predicted) - logit(
            model, weights, np.zeros_like(image), side.predicted
        )
        assert side.logit_difference == pytest.approx(difference, abs=1e-4)
        assert side.attributions.sum() == pytest.approx(
            difference + side.convergence_delta, abs=1e-3
        )
        assert abs(side.convergence_delta) <= TOLERANCE * max(1, abs(difference))
        assert sum(side.probabilities) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reviews/gru", "reviews/transformer", "reviews/bag"])
def test_word_attributions_sum_to_logit_difference(name):
    model = untrained(name)
    examples = model.task.split("validation").examples
    number = int((examples != 0).sum(axis=1).argmin())  # a short text, mostly padding
    result = wb.attribution(model, wb.Recipe(quantize=wb.Quantize(bits=6)), number)
    assert result.kind == "words"
    assert result.content == tuple(tokens(examples[number].tolist()))
    for side in (result.before, result.after):
        assert side.attributions.shape == (len(result.content),)
        assert np.abs(side.attributions).max() > 0
        assert side.attributions.sum() == pytest.approx(
            side.logit_difference + side.convergence_delta, abs=1e-4
        )
        assert abs(side.convergence_delta) <= TOLERANCE * max(1, abs(side.logit_difference))
    with torch.no_grad():
        inputs = model.task.inputs(examples[number : number + 1])
        outputs = call(model.module(), model.weights(), inputs)
    baseline = model.weights()
    layer = next(key for key in baseline if key.startswith("embedding"))
    baseline[layer] = torch.zeros_like(baseline[layer])
    with torch.no_grad():
        baseline_outputs = call(model.module(), baseline, inputs)
    difference = (outputs - baseline_outputs)[0, result.before.predicted]
    assert result.before.logit_difference == pytest.approx(float(difference), abs=1e-4)


def test_frame_attributions_sum_to_logit_difference():
    model = wb.model("vowels/cnn")
    examples = model.task.split("validation").examples[3:4]
    result = wb.attribution(model, HARSH, 3)
    frames = int(examples.any(axis=2).sum())
    assert result.content.shape == result.after.attributions.shape == (frames, 12)
    train = model.task.split("train").examples
    baseline = np.where(examples.any(axis=2, keepdims=True), train[train.any(axis=2)].mean(0), 0)
    decoded = wb.compress(model, HARSH).weights()
    for weights, side in ((model.weights(), result.before), (decoded, result.after)):
        difference = logit(model, weights, examples, side.predicted) - logit(
            model, weights, baseline.astype(np.float32), side.predicted
        )
        assert side.logit_difference == pytest.approx(difference, abs=1e-3)
        assert side.attributions.sum() == pytest.approx(
            difference + side.convergence_delta, abs=1e-3
        )
        assert abs(side.convergence_delta) <= TOLERANCE * max(1, abs(difference))


@pytest.mark.parametrize(
    ("inputs", "targets", "code"),
    [
        (torch.arange(40).view(20, 2), torch.arange(20) % 2, "data.not_explainable"),  # integers
        (torch.randn(20, 2), torch.arange(20) % 2, "data.not_explainable"),  # one-dimensional
        (torch.randn(20, 3, 4), torch.randn(20, 2), "metric.no_classes"),
    ],
)
def test_unsupported_tasks_are_an_error(inputs, targets, code):
    class Mean(torch.nn.Linear):
        def forward(self, x):
            return super().forward(x.float().flatten(1)[:, :2])

    splits = dict.fromkeys(("train", "validation", "test"), (inputs, targets))
    model = wb.from_module(Mean(2, 2), **splits, name="mean")
    with raises(code, "mean"):
        wb.attribution(model, wb.Recipe())
    with raises("metric.no_classes"):
        wb.attribution(untrained("reviews-lm/gpt"), wb.Recipe())


@pytest.mark.parametrize("shape", [(3, 6, 5), (6, 5)])
def test_user_images_are_supported(shape):
    inputs, targets = torch.randn(20, *shape), torch.arange(20) % 2
    splits = dict.fromkeys(("train", "validation", "test"), (inputs, targets))
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(inputs[0].numel(), 2))
    result = wb.attribution(wb.from_module(module, **splits, name="seen"), wb.Recipe(), 4)
    assert result.content.shape == result.after.attributions.shape == (6, 5)
    assert result.after.attributions.sum() == pytest.approx(result.after.logit_difference, abs=1e-4)


def test_explained_class_is_the_reference_prediction(small):
    comparison = wb.compare(small, HARSH)
    example = int(comparison.became_wrong[0])
    result = wb.attribution(small, HARSH, example)
    images = small.task.split("validation").examples
    assert result.before.predicted == result.label == comparison.labels[example]
    assert result.after.predicted == comparison.after[example] != result.label
    assert result.after.predicted == predict(
        small, wb.compress(small, HARSH).weights(), images[example : example + 1]
    )
    np.testing.assert_array_equal(result.content, images[example])


def test_black_pixels_have_zero_attribution(small):
    images = small.task.split("validation").examples[:1]
    explanation = explain(small, small.weights(), images)
    assert np.abs(explanation.attributions[images[0] == 0]).max() == 0
    assert np.abs(explanation.attributions).max() > 0


def test_uncompressed_file_has_the_same_attributions(small):
    result = wb.attribution(small, wb.Recipe(), 4)
    np.testing.assert_array_equal(result.before.attributions, result.after.attributions)


@pytest.mark.slow
def test_two_threads_explain_different_examples(lenet5, fingerprint):
    before = fingerprint(lenet5.weights())
    artifact = wb.compress(lenet5, HARSH)
    expected = [wb.attribution(lenet5, artifact, n).after.attributions for n in (1, 2)]
    barrier = threading.Barrier(2, timeout=60)
    results = {}

    def work(number):
        barrier.wait()
        results[number] = wb.attribution(lenet5, artifact, number).after.attributions

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, attributions in zip((1, 2), expected, strict=True):
        np.testing.assert_allclose(results[number], attributions, atol=1e-5)
    assert fingerprint(lenet5.weights()) == before


@pytest.mark.parametrize("example", [-1, 5000, 1.5, "first"])
def test_unknown_example_is_an_error(small, example):
    with raises("argument.unknown_example" if example == 5000 else "argument.not_a_count"):
        wb.attribution(small, HARSH, example)


def test_cancel(small):
    calls = []
    with pytest.raises(Cancelled):
        wb.attribution(
            small, HARSH, 77, cancel=CancelToken(lambda: len(calls) == 1 or calls.append(1))
        )
