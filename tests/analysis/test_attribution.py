"""What a network looks at: attributions that sum to what they explain, beside true predictions."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch.func import functional_call

import workbench as wb
from tests.untrained import untrained
from workbench.analysis.attribution import TOLERANCE, explain
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.reference import predict
from workbench.runtime.batch import call
from workbench.zoo.reviews.words import tokens

HARSH = wb.Recipe.from_json('{"prune": {"sparsity": 0.7}, "quantize": {"bits": 3}}')


def logit(model, weights, image, number):
    with torch.no_grad():
        outputs = functional_call(model.module(), dict(weights), (model.task.inputs(image),))
    return float(outputs[0, number])


@pytest.mark.parametrize("name", wb.models("fashion"))
def test_attributions_sum_to_what_the_logit_rises_by(name):
    model = wb.model(name)
    decoded = wb.compress(model, HARSH).weights()
    found = wb.attribution(model, HARSH, 9)
    image = model.task.split("validation").examples[9:10]
    for weights, seen in ((model.weights(), found.before), (decoded, found.after)):
        rise = logit(model, weights, image, seen.predicted) - logit(
            model, weights, np.zeros_like(image), seen.predicted
        )
        assert seen.logit_difference == pytest.approx(rise, abs=1e-4)
        assert seen.attributions.sum() == pytest.approx(rise + seen.convergence_delta, abs=1e-3)
        assert abs(seen.convergence_delta) <= TOLERANCE * max(1, abs(rise))
        assert sum(seen.probabilities) == pytest.approx(1)


@pytest.mark.parametrize("name", ["reviews/gru", "reviews/transformer", "reviews/bag"])
def test_what_words_add_sums_to_what_the_logit_rises_by(name):
    model = untrained(name)
    examples = model.task.split("validation").examples
    number = int((examples != 0).sum(axis=1).argmin())  # a short one, so that most is padding
    found = wb.attribution(model, wb.Recipe(quantize=wb.Quantize(bits=6)), number)
    assert found.kind == "words"
    assert found.content == tuple(tokens(examples[number].tolist()))
    for seen in (found.before, found.after):
        assert seen.attributions.shape == (len(found.content),)
        assert np.abs(seen.attributions).max() > 0
        assert seen.attributions.sum() == pytest.approx(
            seen.logit_difference + seen.convergence_delta, abs=1e-4
        )
        assert abs(seen.convergence_delta) <= TOLERANCE * max(1, abs(seen.logit_difference))
    with torch.no_grad():
        inputs = model.task.inputs(examples[number : number + 1])
        outputs = call(model.module(), model.weights(), inputs)
    silent = model.weights()
    layer = next(key for key in silent if key.startswith("embedding"))
    silent[layer] = torch.zeros_like(silent[layer])
    with torch.no_grad():
        without = call(model.module(), silent, inputs)
    rise = (outputs - without)[0, found.before.predicted]
    assert found.before.logit_difference == pytest.approx(float(rise), abs=1e-4)


def test_what_frames_add_sums_to_what_the_logit_rises_by():
    model = wb.model("vowels/cnn")
    examples = model.task.split("validation").examples[3:4]
    found = wb.attribution(model, HARSH, 3)
    frames = int(examples.any(axis=2).sum())
    assert found.content.shape == found.after.attributions.shape == (frames, 12)
    train = model.task.split("train").examples
    silence = np.where(examples.any(axis=2, keepdims=True), train[train.any(axis=2)].mean(0), 0)
    decoded = wb.compress(model, HARSH).weights()
    for weights, seen in ((model.weights(), found.before), (decoded, found.after)):
        rise = logit(model, weights, examples, seen.predicted) - logit(
            model, weights, silence.astype(np.float32), seen.predicted
        )
        assert seen.logit_difference == pytest.approx(rise, abs=1e-3)
        assert seen.attributions.sum() == pytest.approx(rise + seen.convergence_delta, abs=1e-3)
        assert abs(seen.convergence_delta) <= TOLERANCE * max(1, abs(rise))


@pytest.mark.parametrize(
    ("inputs", "targets"),
    [
        (torch.arange(40).view(20, 2), torch.arange(20) % 2),  # whole numbers
        (torch.randn(20, 2), torch.arange(20) % 2),  # no picture
        (torch.randn(20, 3, 4), torch.randn(20, 2)),  # no classes
    ],
)
def test_what_cannot_be_explained_is_refused(inputs, targets):
    class Mean(torch.nn.Linear):
        def forward(self, x):
            return super().forward(x.float().flatten(1)[:, :2])

    splits = dict.fromkeys(("train", "validation", "test"), (inputs, targets))
    model = wb.from_module(Mean(2, 2), **splits, name="mean")
    with pytest.raises(WorkbenchError, match=r"^Attributions [^.]*\.$"):
        wb.attribution(model, wb.Recipe())
    with pytest.raises(WorkbenchError, match=r"^Attributions [^.]*\.$"):
        wb.attribution(untrained("reviews-lm/gpt"), wb.Recipe())


@pytest.mark.parametrize("shape", [(3, 6, 5), (6, 5)])
def test_pictures_of_a_persons_own_are_explained(shape):
    inputs, targets = torch.randn(20, *shape), torch.arange(20) % 2
    splits = dict.fromkeys(("train", "validation", "test"), (inputs, targets))
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(inputs[0].numel(), 2))
    found = wb.attribution(wb.from_module(module, **splits, name="seen"), wb.Recipe(), 4)
    assert found.content.shape == found.after.attributions.shape == (6, 5)
    assert found.after.attributions.sum() == pytest.approx(found.after.logit_difference, abs=1e-4)


def test_what_is_explained_is_what_the_judge_predicts(small):
    changed = wb.compare(small, HARSH)
    example = int(changed.lost[0])
    found = wb.attribution(small, HARSH, example)
    images = small.task.split("validation").examples
    assert found.before.predicted == found.label == changed.labels[example]
    assert found.after.predicted == changed.after[example] != found.label
    assert found.after.predicted == predict(
        small, wb.compress(small, HARSH).weights(), images[example : example + 1]
    )
    np.testing.assert_array_equal(found.content, images[example])


def test_pixels_as_black_as_the_baseline_add_nothing(small):
    images = small.task.split("validation").examples[:1]
    seen = explain(small, small.weights(), images)
    assert np.abs(seen.attributions[images[0] == 0]).max() == 0
    assert np.abs(seen.attributions).max() > 0


def test_an_untouched_file_looks_where_the_original_does(small):
    found = wb.attribution(small, wb.Recipe(), 4)
    np.testing.assert_array_equal(found.before.attributions, found.after.attributions)


def test_two_threads_look_at_their_own_examples(lenet5, fingerprint):
    before = fingerprint(lenet5.weights())
    artifact = wb.compress(lenet5, HARSH)
    alone = [wb.attribution(lenet5, artifact, n).after.attributions for n in (1, 2)]
    together = threading.Barrier(2, timeout=60)
    found = {}

    def work(number):
        together.wait()
        found[number] = wb.attribution(lenet5, artifact, number).after.attributions

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, expected in zip((1, 2), alone, strict=True):
        np.testing.assert_allclose(found[number], expected, atol=1e-5)
    assert fingerprint(lenet5.weights()) == before


@pytest.mark.parametrize("example", [-1, 5000, 1.5, "first"])
def test_an_example_that_is_not_there_is_refused(small, example):
    with pytest.raises(WorkbenchError, match="example"):
        wb.attribution(small, HARSH, example)


def test_a_cancel_is_heard(small):
    asked = []
    with pytest.raises(Cancelled):
        wb.attribution(small, HARSH, 77, cancelled=lambda: len(asked) == 1 or asked.append(1))
