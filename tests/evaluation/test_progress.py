"""Progressive evaluation: samples, intervals, threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import workbench as wb
from workbench.cancel import CancelToken
from workbench.errors import Cancelled
from workbench.evaluation import progress
from workbench.evaluation.batch_size import MAX_BATCH, MAX_FIRST_SAMPLE
from workbench.evaluation.progress import ESTIMATE_BATCHES, iter_counts, reference_counts

RECIPE = wb.Recipe.from_json('{"prune": {"sparsity": 0.85}, "quantize": {"bits": 3}}')


@pytest.fixture
def validation(small):
    return small.task.split("validation")


def test_samples_grow_and_end_at_reference_counts(small, validation):
    weights = wb.compress(small, RECIPE).weights()
    exact = reference_counts(small, weights, validation)
    for seed in range(3):
        results = list(iter_counts(small, weights, validation, seed=seed))
        assert [counts.examples for counts in results] == [
            MAX_FIRST_SAMPLE,
            *(MAX_FIRST_SAMPLE + count * MAX_BATCH for count in ESTIMATE_BATCHES),
            len(validation),
        ]
        assert [counts.exact for counts in results] == [False, False, False, True]
        np.testing.assert_array_equal(results[-1].confusion, exact.confusion)
        assert results[-1].bounds == (exact.accuracy, exact.accuracy)
        widths = [high - low for low, high in (counts.bounds for counts in results)]
        assert widths == sorted(widths, reverse=True)


def test_each_seed_gives_its_own_sample(small, validation):
    weights = wb.compress(small, RECIPE).weights()
    first = {
        next(iter_counts(small, weights, validation, seed=s)).confusion.tobytes() for s in range(8)
    }
    assert len(first) > 1
    again = [next(iter_counts(small, weights, validation, seed=7)).confusion for _ in range(2)]
    np.testing.assert_array_equal(*again)


@pytest.mark.slow
@pytest.mark.parametrize("right", [0.0, 0.11, 0.5, 0.9, 0.995, 1.0])
def test_interval_coverage_is_at_least_nominal(small, validation, monkeypatch, right):
    """With prescribed predictions in place of a model, over many seeds."""
    labels = validation.labels.astype(np.int64)
    by_image = {image.tobytes(): k for k, image in enumerate(validation.examples)}
    places = [by_image[image.tobytes()] for image in validation.examples]
    wrong = np.random.default_rng(1).permutation(len(labels))[round(right * len(labels)) :]
    answers = labels.copy()
    answers[wrong] = (answers[wrong] + 1) % 10

    class Prescribed:
        def __init__(self, *settings, **more):
            self.at = 0

        def predict(self, images):
            stop = self.at + len(images)
            predictions = answers[order[self.at : stop]]
            self.at = stop
            return predictions

        def calibrate(self):
            """Nothing to calibrate."""

        first = predict

    assert len(places) == len(labels)
    monkeypatch.setattr(progress, "FastPath", Prescribed)
    exact = (answers == labels).mean()
    covered = []
    for seed in range(150):
        order = np.random.default_rng(seed).permutation(len(labels))
        for counts in iter_counts(small, {}, validation, seed=seed):
            low, high = counts.bounds
            covered.append(low <= exact <= high)
    assert np.mean(covered) >= 0.95


@pytest.mark.parametrize("after", [0, 1, 2, 7])
def test_cancel_stops_between_batches(small, validation, after, monkeypatch):
    batch_sizes = []
    for name in ("first", "predict"):
        original = getattr(progress.FastPath, name)

        def counted(self, images, original=original):
            batch_sizes.append(len(images))
            return original(self, images)

        monkeypatch.setattr(progress.FastPath, name, counted)
    with pytest.raises(Cancelled):
        for _ in iter_counts(
            small,
            small.weights(),
            validation,
            cancel=CancelToken(lambda: len(batch_sizes) >= after),
        ):
            pass
    assert len(batch_sizes) == after
    assert sum(batch_sizes) <= MAX_FIRST_SAMPLE + 250 * after


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/lenet5"])
def test_two_threads_share_a_model(name, recipes, fingerprint):
    model = wb.model(name)
    split = model.task.split("validation")
    before = fingerprint(model.weights())
    chosen = recipes(model, 4, seed="threads")
    expected_counts = [
        reference_counts(model, wb.compress(model, recipe).weights(), split) for recipe in chosen
    ]
    by_worker: dict[int, list] = {0: [], 1: []}
    barrier = threading.Barrier(2, timeout=60)

    def work(worker):
        for recipe in chosen[worker::2]:
            weights = wb.compress(model, recipe).weights()
            barrier.wait()
            by_worker[worker].append(list(iter_counts(model, weights, split))[-1])

    workers = [threading.Thread(target=work, args=(worker,)) for worker in by_worker]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for worker, results in by_worker.items():
        for counts, expected in zip(results, expected_counts[worker::2], strict=True):
            np.testing.assert_array_equal(counts.confusion, expected.confusion)
    assert fingerprint(model.weights()) == before
    assert model.digest == wb.model(name).digest
