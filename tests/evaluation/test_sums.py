"""Metrics that are sums: reproducible, and with intervals of nominal coverage."""

from __future__ import annotations

import itertools
from math import exp, inf, log

import numpy as np
import pytest
import torch
from scipy import stats

import workbench as wb
from workbench.cancel import CancelToken
from workbench.domain import Split
from workbench.domain.sum_metrics import SUM_METRICS, LabelScale
from workbench.errors import Cancelled
from workbench.evaluation.scores import iter_scores

FOUR_BITS = wb.Recipe(quantize=wb.Quantize(bits=4))


@pytest.fixture
def gpt():
    return wb.model("reviews-lm/gpt")


@pytest.fixture
def few(gpt):
    split = gpt.task.split("validation")
    return Split("validation", split.examples[:60], split.labels[:60], "few")


@pytest.mark.slow
def test_bits_per_character_equals_direct_computation(gpt, few):
    *_, score = iter_scores(gpt, gpt.weights(), few)
    module = wb.to_module(wb.compress(gpt, wb.Recipe()))
    with torch.no_grad():
        logits = module(torch.from_numpy(few.examples.astype(np.int64))).double()
    labels = torch.from_numpy(few.labels.astype(np.int64))
    nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    assert score.exact
    assert score.value == pytest.approx(float(nats) / log(2), rel=1e-6)
    assert score.figures["perplexity"] == pytest.approx(exp(float(nats)), rel=1e-6)
    right = (logits.argmax(-1) == labels).double().mean()
    assert score.figures["accuracy"] == pytest.approx(float(right), abs=1e-4)


@pytest.mark.slow
def test_exact_value_does_not_depend_on_threads_or_seed(gpt, few):
    weights = wb.compress(gpt, FOUR_BITS).weights()
    values = set()
    before = torch.get_num_threads()
    try:
        for threads, seed in ((1, 0), (2, 1), (2, 2)):
            torch.set_num_threads(threads)
            *_, score = iter_scores(gpt, weights, few, seed=seed)
            values.add(score.value)
    finally:
        torch.set_num_threads(before)
    assert len(values) == 1


@pytest.mark.slow
def test_estimates_precede_the_exact_score(gpt, few):
    first, *_, last = iter_scores(gpt, gpt.weights(), few)
    assert first.examples < len(few) == last.examples
    assert first.low < first.value < first.high
    assert last.low == last.value == last.high


@pytest.mark.parametrize("after", [0, 1, 2])
def test_cancel_stops_between_batches(gpt, few, after):
    checks = itertools.count()
    cancel = CancelToken(lambda: next(checks) >= after)
    with pytest.raises(Cancelled):
        list(iter_scores(gpt, gpt.weights(), few, cancel=cancel))
    assert next(checks) == after + 1


@pytest.mark.parametrize(("kind", "metric"), [("tokens", "perplexity"), ("numbers", "r2")])
def test_interval_coverage_is_nominal(kind, metric):
    rng = np.random.default_rng(0)
    count = SUM_METRICS[kind]
    losses = rng.gamma(4.0, size=400)
    rows = np.stack([losses, np.zeros(400), np.full(400, 1.0)], axis=1)
    scale = LabelScale(10.0)
    truth = count.metrics[metric](losses.mean(), scale)
    covered = 0
    for _ in range(400):
        sample = rows[rng.permutation(400)[:20]]
        low, high = count.bounds(metric, sample, 400, scale)
        covered += low <= truth <= high
    assert covered >= 0.92 * 400


def test_the_interval_is_students_for_a_ratio_in_a_finite_population():
    rng = np.random.default_rng(0)
    sums, sizes = rng.gamma(4.0, size=8), rng.integers(3, 9, 8).astype(float)
    rows = np.stack([sums, np.zeros(8), sizes], axis=1)
    ratio = sums.sum() / sizes.sum()
    residuals = sums - ratio * sizes  # their mean is 0
    error = stats.sem(residuals) / sizes.mean() * np.sqrt(1 - 8 / 20)
    reach = stats.t.ppf(0.975, 7) * error
    low, high = SUM_METRICS["tokens"].bounds("bits per character", rows, 20, LabelScale())
    assert (low, high) == pytest.approx(((ratio - reach) / log(2), (ratio + reach) / log(2)))


def test_perplexity_overflows_to_infinity():
    figures = SUM_METRICS["tokens"].figures(np.array([1e6, 0.0, 10.0]), LabelScale())
    assert figures["perplexity"] == inf
    assert figures["bits per character"] == pytest.approx(1e5 / log(2))


@pytest.mark.slow
def test_report_has_the_metric_of_the_task(gpt):
    report = wb.measure(gpt, FOUR_BITS, timed=False)
    assert report.metric == "bits per character"
    assert report.value > gpt.metric_value("validation")
    data = report.as_dict()
    assert data["bits per character"] == data["value"] == report.value
    assert "confusion" in data
    assert report.total == len(gpt.task.split("validation"))
