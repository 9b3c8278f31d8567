from __future__ import annotations

import threading

import numpy as np
import pytest

import workbench as wb
from workbench.errors import Cancelled
from workbench.evaluation import progress
from workbench.evaluation.batch_size import MAX_BATCH, MAX_FIRST_SAMPLE
from workbench.evaluation.progress import ESTIMATE_BATCHES, iter_counts, reference_counts

RECIPE = wb.Recipe.from_json('{"prune": {"sparsity": 0.85}, "quantize": {"bits": 3}}')


@pytest.fixture
def validation(small):
    return small.task.split("validation")


def test_looks_grow_and_end_at_the_judges_count(small, validation):
    weights = wb.compress(small, RECIPE).weights()
    exact = reference_counts(small, weights, validation)
    for seed in range(3):
        tallies = list(iter_counts(small, weights, validation, seed=seed))
        assert [tally.examples for tally in tallies] == [
            MAX_FIRST_SAMPLE,
            *(MAX_FIRST_SAMPLE + many * MAX_BATCH for many in ESTIMATE_BATCHES),
            len(validation),
        ]
        assert [tally.exact for tally in tallies] == [False, False, False, True]
        np.testing.assert_array_equal(tallies[-1].confusion, exact.confusion)
        assert tallies[-1].bounds == (exact.accuracy, exact.accuracy)
        widths = [high - low for low, high in (tally.bounds for tally in tallies)]
        assert widths == sorted(widths, reverse=True)


def test_each_seed_draws_its_own_sample(small, validation):
    weights = wb.compress(small, RECIPE).weights()
    first = {
        next(iter_counts(small, weights, validation, seed=s)).confusion.tobytes() for s in range(8)
    }
    assert len(first) > 1
    again = [next(iter_counts(small, weights, validation, seed=7)).confusion for _ in range(2)]
    np.testing.assert_array_equal(*again)


@pytest.mark.parametrize("right", [0.0, 0.11, 0.5, 0.9, 0.995, 1.0])
def test_published_intervals_cover_as_often_as_they_say(small, validation, monkeypatch, right):
    """Prescribed answers in the model's place, drawn anew for each of many seeds."""
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
            found = answers[order[self.at : stop]]
            self.at = stop
            return found

        def calibrate(self):
            """Nothing to learn: the answers are prescribed."""

        first = predict

    assert len(places) == len(labels)
    monkeypatch.setattr(progress, "FastPath", Prescribed)
    exact = (answers == labels).mean()
    held = []
    for seed in range(150):
        order = np.random.default_rng(seed).permutation(len(labels))
        for tally in iter_counts(small, {}, validation, seed=seed):
            low, high = tally.bounds
            held.append(low <= exact <= high)
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize("after", [0, 1, 2, 7])
def test_cancelling_stops_between_two_batches(small, validation, after, monkeypatch):
    run = []
    for name in ("first", "predict"):
        kept = getattr(progress.FastPath, name)
        monkeypatch.setattr(
            progress.FastPath,
            name,
            lambda self, images, kept=kept: run.append(len(images)) or kept(self, images),
        )
    with pytest.raises(Cancelled):
        for _tally in iter_counts(
            small, small.weights(), validation, cancelled=lambda: len(run) >= after
        ):
            pass
    assert len(run) == after
    assert sum(run) <= MAX_FIRST_SAMPLE + 250 * after


@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/lenet5"])
def test_two_threads_on_one_model_get_the_right_answers(name, recipes, fingerprint):
    model = wb.model(name)
    split = model.task.split("validation")
    before = fingerprint(model.weights())
    chosen = recipes(model, 4, seed="threads")
    alone = [
        reference_counts(model, wb.compress(model, recipe).weights(), split) for recipe in chosen
    ]
    found: dict[int, list] = {0: [], 1: []}
    together = threading.Barrier(2, timeout=60)

    def work(who):
        for recipe in chosen[who::2]:
            weights = wb.compress(model, recipe).weights()
            together.wait()
            found[who].append(list(iter_counts(model, weights, split))[-1])

    workers = [threading.Thread(target=work, args=(who,)) for who in found]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for who, tallies in found.items():
        for tally, expected in zip(tallies, alone[who::2], strict=True):
            np.testing.assert_array_equal(tally.confusion, expected.confusion)
    assert fingerprint(model.weights()) == before
    assert model.digest == wb.model(name).digest
