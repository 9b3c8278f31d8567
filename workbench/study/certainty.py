"""What an estimate can still become: the better end of its interval at a given probability."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, isfinite, log, sqrt

from workbench.domain.metric import Metric
from workbench.evaluation.intervals import LEVEL, split_bounds
from workbench.evaluation.report import Score

STOP_LEVEL = 0.99
"""An estimate ends an evaluation if its interval at this level does not reach the rival."""
CHECK_LEVEL = 0.9999
"""Before a front is reported, files whose interval at this level reaches it are measured."""

TO_MEAN: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "bits per character": (lambda value: value, lambda mean: max(mean, 0.0)),
    "perplexity": (log, lambda mean: exp(max(mean, 0.0))),
    "root mean squared error": (lambda value: value * value, lambda mean: sqrt(max(mean, 0.0))),
    "r2": (lambda value: 1 - value, lambda mean: 1 - max(mean, 0.0)),
}
"""By metric: a linear function of the mean that its interval is computed from, and the inverse."""


def best_possible(score: Score, metric: Metric, level: float) -> float:
    """Return the better end of the interval of the metric on the full split.

    Parameters
    ----------
    score
        An estimate. For a classifier, the interval is the exact one of the hypergeometric
        distribution. For a metric that is a function of a mean, it is Student's t interval.
    metric
        Of the task. For one that is neither, nothing is excluded: the result is infinite.
    level
        The probability with which the interval covers the exact value.
    """
    best = inf if metric.higher_is_better else -inf
    if score.exact:
        return score.value
    if metric.counts == "classes":
        correct = round(score.value * score.examples)
        return split_bounds(correct, score.examples, score.total, level)[1] / score.total
    if metric.name not in TO_MEAN or not all(map(isfinite, (score.value, score.low, score.high))):
        return best
    from scipy.special import stdtrit

    to_mean, to_value = TO_MEAN[metric.name]
    # The worse end is never cut off at zero, so the width of the interval follows from it.
    worse = score.low if metric.higher_is_better else score.high
    reach = abs(to_mean(worse) - to_mean(score.value))
    freedom = score.examples - 1
    ratio = stdtrit(freedom, (1 + level) / 2) / stdtrit(freedom, (1 + LEVEL) / 2)
    return float(to_value(to_mean(score.value) - reach * float(ratio)))
