"""What a network looks at: attributions that sum to what they explain, beside true predictions."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch.func import functional_call

import workbench as wb
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.attribution import NARROW, look
from workbench.evaluation.judge import predict

HARSH = wb.Recipe.from_json('{"prune": {"sparsity": 0.7}, "quantize": {"bits": 3}}')


def logit(model, weights, image, number):
    with torch.no_grad():
        outputs = functional_call(model.module(), dict(weights), (model.task.inputs(image),))
    return float(outputs[0, number])


@pytest.mark.parametrize("name", wb.models())
def test_attributions_sum_to_what_the_logit_rises_by(name):
    model = wb.model(name)
    decoded = wb.compress(model, HARSH).weights()
    found = wb.attribution(model, HARSH, 9)
    image = model.task.split("validation").examples[9:10]
    for weights, seen in ((model.weights(), found.before), (decoded, found.after)):
        rise = logit(model, weights, image, seen.predicted) - logit(
            model, weights, np.zeros_like(image), seen.predicted
        )
        assert seen.explained == pytest.approx(rise, abs=1e-4)
        assert seen.pixels.sum() == pytest.approx(rise + seen.gap, abs=1e-3)
        assert abs(seen.gap) <= NARROW * max(1, abs(rise))
        assert sum(seen.probabilities) == pytest.approx(1)


def test_what_is_explained_is_what_the_judge_predicts(small):
    changed = wb.changes(small, HARSH)
    example = int(changed.lost[0])
    found = wb.attribution(small, HARSH, example)
    images = small.task.split("validation").examples
    assert found.before.predicted == found.label == changed.labels[example]
    assert found.after.predicted == changed.after[example] != found.label
    assert found.after.predicted == predict(
        small, wb.compress(small, HARSH).weights(), images[example : example + 1]
    )
    np.testing.assert_array_equal(found.image, images[example])


def test_pixels_as_black_as_the_baseline_add_nothing(small):
    images = small.task.split("validation").examples[:1]
    seen = look(small, small.weights(), images)
    assert np.abs(seen.pixels[images[0] == 0]).max() == 0
    assert np.abs(seen.pixels).max() > 0


def test_an_untouched_file_looks_where_the_original_does(small):
    found = wb.attribution(small, wb.Recipe(), 4)
    np.testing.assert_array_equal(found.before.pixels, found.after.pixels)


def test_two_threads_look_at_their_own_examples(lenet5, fingerprint):
    before = fingerprint(lenet5.weights())
    artifact = wb.compress(lenet5, HARSH)
    alone = [wb.attribution(lenet5, artifact, n).after.pixels for n in (1, 2)]
    together = threading.Barrier(2, timeout=60)
    found = {}

    def work(number):
        together.wait()
        found[number] = wb.attribution(lenet5, artifact, number).after.pixels

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
