"""Figures that are sums: the same on every run, and estimates that keep their word."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
import pytest
import torch

import workbench as wb
from workbench.domain import Split
from workbench.domain.sum_metrics import SUM_METRICS
from workbench.evaluation.scores import iter_scores

ROUNDED = wb.Recipe(quantize=wb.Quantize(bits=4))


@pytest.fixture
def gpt():
    return wb.model("reviews-lm/gpt")


@pytest.fixture
def few(gpt):
    whole = gpt.task.split("validation")
    return Split("validation", whole.examples[:60], whole.labels[:60], "few")


def test_bits_are_those_of_a_plain_loop(gpt, few):
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


def test_the_exact_figure_repeats_for_every_number_of_threads_and_order(gpt, few):
    weights = wb.compress(gpt, ROUNDED).weights()
    found = set()
    before = torch.get_num_threads()
    try:
        for threads, seed in ((1, 0), (2, 1), (2, 2)):
            torch.set_num_threads(threads)
            *_, score = iter_scores(gpt, weights, few, seed=seed)
            found.add(score.value)
    finally:
        torch.set_num_threads(before)
    assert len(found) == 1


def test_the_first_estimate_comes_before_the_exact_figure_and_says_so(gpt, few):
    first, *_, last = iter_scores(gpt, gpt.weights(), few)
    assert first.examples < len(few) == last.examples
    assert first.low < first.value < first.high
    assert last.low == last.value == last.high


@pytest.mark.parametrize(
    ("kind", "metric"), [("tokens", "perplexity"), ("numbers", "explained variance")]
)
def test_intervals_cover_the_whole_as_often_as_they_say(kind, metric):
    rng = np.random.default_rng(0)
    count = SUM_METRICS[kind]
    over = rng.gamma(4.0, size=400)
    rows = np.stack([over, np.zeros(400), np.full(400, 1.0)], axis=1)
    spread = 10.0
    truth = count.metrics[metric](over.mean(), spread)
    covered = 0
    for _ in range(400):
        sample = rows[rng.permutation(400)[:20]]
        low, high = count.bounds(metric, sample, 400, spread)
        covered += low <= truth <= high
    assert covered >= 0.92 * 400


def test_doubt_among_more_than_can_be_counted_is_without_end():
    figures = SUM_METRICS["tokens"].figures(np.array([1e6, 0.0, 10.0]), 0.0)
    assert figures["perplexity"] == inf
    assert figures["bits per character"] == pytest.approx(1e5 / log(2))


def test_a_report_names_its_metric(gpt):
    report = wb.measure(gpt, ROUNDED, timed=False)
    assert report.metric == "bits per character"
    assert report.value > gpt.metric_value("validation")
    plain = report.as_dict()
    assert plain["bits per character"] == plain["value"] == report.value
    assert "confusion" in plain
    assert report.total == len(gpt.task.split("validation"))
