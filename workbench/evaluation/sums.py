"""Figures that are sums over examples: estimated in float32, judged in float64.

The exact figure is computed in float64 throughout and added up in data-set order, so that it is
the same on every machine, whatever the number of threads, to the last digits that anybody reads.
A metric of all examples together, which nothing can be said about before the end, is given the
outputs in that order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import Cancelled
from workbench.evaluation.counting import COUNTS, Rows
from workbench.evaluation.judge import widened
from workbench.evaluation.pace import batch_of, first_of
from workbench.evaluation.report import Score
from workbench.evaluation.workers import workers
from workbench.zoo import Model, Split
from workbench.zoo.batch import Batch, channels_last
from workbench.zoo.forms import targets
from workbench.zoo.shell import shell

MORE = 5
"""The second estimate looks at that many times the examples of the first."""
WORTH = 40
"""There is a second one where the split has at least that many times the examples of the first."""


def scores(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    *,
    seed: int = 0,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Score]:
    """Yield one or two estimates from random examples, then the exact score.

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True between two batches.
    """
    if model.task.metric.counts in COUNTS:
        order = np.random.default_rng(seed).permutation(len(split))
        first = first_of(model)
        quick = {name: channels_last(weight) for name, weight in weights.items()}
        rows: list[Rows] = []
        for start, stop in ((0, first), (first, MORE * first)):
            if (stop if not start else first * WORTH) >= len(split):
                break
            rows.append(_rows(model, quick, split, order[start:stop], torch.float32, cancelled))
            yield _estimate(model, np.concatenate(rows), split)
    yield judged(model, weights, split, cancelled)


def judged(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    cancelled: Callable[[], bool] = lambda: False,
) -> Score:
    """Return the exact score of the whole `split`.

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True between two batches.
    """
    wide = torch.float32 if model.card.get("single") else torch.float64
    used = weights if model.card.get("single") else widened(weights)
    numbers = np.arange(len(split))
    metric = model.task.metric
    if metric.counts not in COUNTS:
        return _of_all(model, used, split, wide, cancelled)
    rows = _rows(model, used, split, numbers, wide, cancelled)
    count, spread = COUNTS[metric.counts], spread_of(split)
    figures = count.figures(rows.sum(axis=0), spread)
    value = figures[metric.name]
    return Score(metric.name, value, value, value, len(split), len(split), figures)


def _estimate(model: Model, rows: Rows, split: Split) -> Score:
    metric = model.task.metric
    count, spread = COUNTS[metric.counts], spread_of(split)
    figures = count.figures(rows.sum(axis=0), spread)
    low, high = count.bounds(metric.name, rows, len(split), spread)
    return Score(metric.name, figures[metric.name], low, high, len(rows), len(split), figures)


def spread_of(split: Split) -> float:
    """Return the variance of a split's labels where they are numbers, else 0."""
    labels = split.labels
    if not isinstance(labels, np.ndarray) or np.issubdtype(labels.dtype, np.integer):
        return 0.0
    return float(labels.astype(np.float64).var(axis=0).mean())


def _rows(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    numbers: Any,
    dtype: torch.dtype,
    cancelled: Callable[[], bool],
) -> Rows:
    count = COUNTS[model.task.metric.counts]

    def run(some: Any) -> Rows:
        return count.rows(
            _outputs(model, weights, split, some, dtype, cancelled), _targets(split, some)
        )

    return np.concatenate([*workers().map(run, _cut(numbers, _at_once(model, len(numbers))))])


def _of_all(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    dtype: torch.dtype,
    cancelled: Callable[[], bool],
) -> Score:
    """Return the score by a metric that wants all outputs at once."""

    def run(some: Any) -> tuple[Any, Any]:
        outputs = _outputs(model, weights, split, some, dtype, cancelled)
        return outputs, _targets(split, some)

    found = [*workers().map(run, _cut(np.arange(len(split)), _at_once(model, len(split))))]
    metric = model.task.metric
    value = model.task.measured([one for one, _ in found], [one for _, one in found])
    figures = {metric.name: value}
    return Score(metric.name, value, value, value, len(split), len(split), figures)


def _outputs(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    numbers: Any,
    dtype: torch.dtype,
    cancelled: Callable[[], bool],
) -> Any:
    if cancelled():
        raise Cancelled("Measuring was stopped.")
    inputs = Batch.of(model.task.inputs(split.examples[numbers])).to(dtype)
    return shell(model)(weights, inputs)


def _targets(split: Split, numbers: Any) -> Any:
    return targets(split.labels[numbers])


def _at_once(model: Model, examples: int) -> int:
    """Return how many examples make a batch, so that every core has one."""
    return max(1, min(batch_of(model), -(-examples // torch.get_num_threads())))


def _cut(numbers: Any, size: int) -> list[Any]:
    return [numbers[at : at + size] for at in range(0, len(numbers), size)]
