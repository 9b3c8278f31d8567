"""What is summed over examples where the figure is no count of classes, and what it comes to.

A count turns the outputs for some examples into a row of float64 sums for each; the figures are
functions of the rows' total. So an estimate from some examples and the exact figure of all are
one computation, and the order of adding is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, inf, isfinite, log, nan, sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.domain.losses import IGNORE_INDEX

SumRows = NDArray[np.float64]

MOST_NATS = 700.0
"""A mean beyond which a perplexity is more than float64 holds: a training gone wrong has some."""


@dataclass(frozen=True)
class SumMetric:
    """How examples are counted.

    `rows` gives float64 [b, sums] for outputs and labels of b examples; the first sum over the
    last is the mean from which the metric follows. `figures` gives all figures from the total of
    the rows and the spread of the split's labels; `metrics` says for the name of each metric how
    it follows from the mean and that spread.
    """

    rows: Callable[[Any, Any], SumRows]
    figures: Callable[[SumRows, float], dict[str, float]]
    metrics: Mapping[str, Callable[[float, float], float]]

    def bounds(self, metric: str, rows: SumRows, total: int, spread: float) -> tuple[float, float]:
        """Return the metric's 95 % interval for a split of `total` examples, given a sample's rows.

        Student's t for a ratio of two means (Cochran 1977, Sampling Techniques, section 6.5), with
        the correction for a finite population.
        """
        from scipy.special import stdtrit

        n = len(rows)
        over, under = rows[:, 0], rows[:, -1]
        ratio = over.sum() / under.sum()
        if not isfinite(ratio):  # of outputs that are not finite: there is no interval
            return nan, nan
        rest = over - ratio * under
        error = sqrt((1 - n / total) / n * float(rest @ rest) / (n - 1)) / under.mean()
        reach = float(stdtrit(n - 1, 0.975)) * error
        ends = [
            self.metrics[metric](max(0.0, end), spread) for end in (ratio - reach, ratio + reach)
        ]
        return min(ends), max(ends)


def _tokens(outputs: Tensor, labels: Tensor) -> SumRows:
    """Return the nats, hits and places of each example; logits [b, places, classes]."""
    counts = labels != IGNORE_INDEX
    logs = torch.log_softmax(outputs.double(), dim=-1)
    right = labels.where(counts, 0)
    nats = -logs.gather(-1, right.unsqueeze(-1)).squeeze(-1).where(counts, 0)
    hits = (logs.argmax(dim=-1) == labels) & counts & nats.isfinite()
    columns = [nats.sum(dim=1), hits.double().sum(dim=1), counts.double().sum(dim=1)]
    return torch.stack(columns, dim=1).numpy()


def _token_figures(total: SumRows, spread: float) -> dict[str, float]:
    nats, hits, places = total.tolist()
    return {
        "bits per character": nats / places / log(2),
        "perplexity": _perplexity(nats / places),
        "accuracy": hits / places,
    }


def _perplexity(nats: float) -> float:
    return inf if nats > MOST_NATS else exp(nats)


def _numbers(outputs: Tensor, labels: Tensor) -> SumRows:
    """Return the squared and absolute errors and how many numbers each example has."""
    error = (outputs.double().view_as(labels) - labels.double()).flatten(
        1 if labels.ndim > 1 else 0
    )
    error = error.view(len(labels), -1)
    sizes = torch.full((len(labels),), error.shape[1], dtype=torch.float64)
    return torch.stack([error.square().sum(1), error.abs().sum(1), sizes], dim=1).numpy()


def _number_figures(total: SumRows, spread: float) -> dict[str, float]:
    squared, absolute, count = total.tolist()
    return {
        "root mean squared error": sqrt(squared / count),
        "mean absolute error": absolute / count,
        "explained variance": 1 - squared / count / spread if spread else float("nan"),
    }


def label_variance(labels: Any) -> float:
    """Return the variance of labels where they are an array of numbers, else 0."""
    if not isinstance(labels, np.ndarray) or np.issubdtype(labels.dtype, np.integer):
        return 0.0
    return float(labels.astype(np.float64).var(axis=0).mean())


SUM_METRICS = {
    "tokens": SumMetric(
        _tokens,
        _token_figures,
        {
            "bits per character": lambda mean, spread: mean / log(2),
            "perplexity": lambda mean, spread: _perplexity(mean),
        },
    ),
    "numbers": SumMetric(
        _numbers,
        _number_figures,
        {
            "root mean squared error": lambda mean, spread: sqrt(mean),
            "explained variance": lambda mean, spread: (
                1 - mean / spread if spread else float("nan")
            ),
        },
    ),
}
