"""Metrics that are functions of sums over examples, such as perplexity or squared error.

The outputs for each example become a row of float64 sums, and the metrics are functions of the
rows' total. Estimates from a sample and exact values use the same computation, and the order of
addition is fixed.
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
from workbench.domain.task import Split, Task

SumRows = NDArray[np.float64]

MOST_NATS = 700.0
"""The largest mean cross-entropy whose perplexity is finite in float64."""


@dataclass(frozen=True)
class LabelScale:
    """What metrics of numbers need to know about the labels of a split.

    Attributes
    ----------
    variance : float
        The variance of the labels; 0 if they are not real numbers.
    unit : float
        The size of a label of 1 in the unit of the target, in which errors are reported.
    """

    variance: float = 0.0
    unit: float = 1.0

    @classmethod
    def of(cls, task: Task, split: Split) -> LabelScale:
        """Return the scale of the labels of a split."""
        return cls(label_variance(split.labels), task.target.scale)

    def explained(self, squared: float) -> float:
        """Return R² for a mean squared error: the share of the variance that is explained."""
        return 1 - squared / self.variance if self.variance else nan


@dataclass(frozen=True)
class SumMetric:
    """A family of metrics that are computed from the same sums.

    Attributes
    ----------
    rows : callable
        Takes outputs and labels of b examples and returns float64 [b, sums]. The ratio of the first
        and the last sum is the mean that the metrics depend on.
    figures : callable
        Takes the total of the rows and the `LabelScale` of the split and returns the value of each
        metric.
    metrics : mapping
        For each metric, a function from the mean and the `LabelScale` to its value.
    """

    rows: Callable[[Any, Any], SumRows]
    figures: Callable[[SumRows, LabelScale], dict[str, float]]
    metrics: Mapping[str, Callable[[float, LabelScale], float]]

    def bounds(
        self, metric: str, rows: SumRows, total: int, labels: LabelScale
    ) -> tuple[float, float]:
        """Return the 95 % confidence interval of a metric from the rows of a sample.

        It is Student's t interval for a ratio of two means (Cochran 1977, Sampling Techniques,
        section 6.5) with the correction for a finite population of `total` examples.
        """
        from scipy.special import stdtrit

        n = len(rows)
        over, under = rows[:, 0], rows[:, -1]
        ratio = over.sum() / under.sum()
        if not isfinite(ratio):  # the outputs are not finite
            return nan, nan
        rest = over - ratio * under
        error = sqrt((1 - n / total) / n * float(rest @ rest) / (n - 1)) / under.mean()
        reach = float(stdtrit(n - 1, 0.975)) * error
        ends = [
            self.metrics[metric](max(0.0, end), labels) for end in (ratio - reach, ratio + reach)
        ]
        return min(ends), max(ends)


def _tokens(outputs: Tensor, labels: Tensor) -> SumRows:
    """Return the nats, hits and positions of each example for logits [b, positions, classes]."""
    counts = labels != IGNORE_INDEX
    logs = torch.log_softmax(outputs.double(), dim=-1)
    targets = labels.where(counts, 0)
    nats = -logs.gather(-1, targets.unsqueeze(-1)).squeeze(-1).where(counts, 0)
    hits = (logs.argmax(dim=-1) == labels) & counts & nats.isfinite()
    columns = [nats.sum(dim=1), hits.double().sum(dim=1), counts.double().sum(dim=1)]
    return torch.stack(columns, dim=1).numpy()


def _token_figures(total: SumRows, labels: LabelScale) -> dict[str, float]:
    nats, hits, positions = total.tolist()
    return {
        "bits per character": nats / positions / log(2),
        "perplexity": _perplexity(nats / positions),
        "accuracy": hits / positions,
    }


def _perplexity(nats: float) -> float:
    return inf if nats > MOST_NATS else exp(nats)


def _numbers(outputs: Tensor, labels: Tensor) -> SumRows:
    """Return the squared errors, the absolute errors and the number of outputs of each example."""
    error = (outputs.double().view_as(labels) - labels.double()).flatten(
        1 if labels.ndim > 1 else 0
    )
    error = error.view(len(labels), -1)
    sizes = torch.full((len(labels),), error.shape[1], dtype=torch.float64)
    return torch.stack([error.square().sum(1), error.abs().sum(1), sizes], dim=1).numpy()


def _number_figures(total: SumRows, labels: LabelScale) -> dict[str, float]:
    squared, absolute, count = total.tolist()
    return {
        "root mean squared error": sqrt(squared / count) * labels.unit,
        "mean absolute error": absolute / count * labels.unit,
        "r2": labels.explained(squared / count),
    }


def label_variance(labels: Any) -> float:
    """Return the variance of labels if they are an array of real numbers, else 0."""
    if not isinstance(labels, np.ndarray) or np.issubdtype(labels.dtype, np.integer):
        return 0.0
    return float(labels.astype(np.float64).var(axis=0).mean())


SUM_METRICS = {
    "tokens": SumMetric(
        _tokens,
        _token_figures,
        {
            "bits per character": lambda mean, labels: mean / log(2),
            "perplexity": lambda mean, labels: _perplexity(mean),
        },
    ),
    "numbers": SumMetric(
        _numbers,
        _number_figures,
        {
            "root mean squared error": lambda mean, labels: sqrt(mean) * labels.unit,
            "r2": lambda mean, labels: labels.explained(mean),
        },
    ),
}
