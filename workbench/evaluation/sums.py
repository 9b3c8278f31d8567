"""Figures that are sums over examples: estimated from some, judged on all.

The exact figure comes from float32 outputs in data-set order, in fixed batches on one thread each;
logarithms and sums are float64, and added up in that order. So it is the same to the last bit
in every process and for every number of threads. A metric of all examples together, about which
nothing can be said before the end, is given the outputs in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.domain import Model, Split
from workbench.domain.inputs import targets
from workbench.domain.sum_metrics import SUM_METRICS, SumRows, label_variance
from workbench.errors import Cancelled
from workbench.evaluation.batch_size import batch_size_for, first_sample_size
from workbench.evaluation.report import Score
from workbench.runtime.batch import layout_weights
from workbench.runtime.shell import shell
from workbench.threads import parallel_map

MORE = 5
"""The second estimate looks at that many times the examples of the first."""
WORTH = 40
"""There is a second one where the split has at least that many times the examples of the first."""


def iter_scores(
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
    if model.task.metric.counts in SUM_METRICS:
        order = np.random.default_rng(seed).permutation(len(split))
        first = first_sample_size(model)
        quick = layout_weights(weights, channels_last=model.architecture.traits.channels_last)
        rows: list[SumRows] = []
        for start, stop in ((0, first), (first, MORE * first)):
            if (stop if not start else first * WORTH) >= len(split):
                break
            each = -(-(stop - start) // torch.get_num_threads())  # every core has a part
            chosen = order[start:stop]
            rows.append(
                _rows(model, quick, split, chosen, min(each, batch_size_for(model)), cancelled)
            )
            yield _estimate(model, np.concatenate(rows), split)
    yield reference_score(model, weights, split, cancelled)


def reference_score(
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
    metric = model.task.metric
    if metric.counts not in SUM_METRICS:
        return _of_all(model, weights, split, cancelled)
    rows = _rows(model, weights, split, np.arange(len(split)), batch_size_for(model), cancelled)
    count, spread = SUM_METRICS[metric.counts], label_variance(split.labels)
    figures = count.figures(rows.sum(axis=0), spread)
    value = figures[metric.name]
    every = len(split)
    without = _not_finite(rows)
    return Score(metric.name, value, value, value, every, every, figures, not_finite=without)


def _not_finite(rows: SumRows) -> int:
    """Count the examples whose outputs are not finite: neither is what is summed of them."""
    return int(np.count_nonzero(~np.isfinite(rows[:, 0])))


def _estimate(model: Model, rows: SumRows, split: Split) -> Score:
    metric = model.task.metric
    count, spread = SUM_METRICS[metric.counts], label_variance(split.labels)
    figures = count.figures(rows.sum(axis=0), spread)
    low, high = count.bounds(metric.name, rows, len(split), spread)
    value, without = figures[metric.name], _not_finite(rows)
    seen, every = len(rows), len(split)
    return Score(metric.name, value, low, high, seen, every, figures, not_finite=without)


def _rows(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    numbers: Any,
    batch: int,
    cancelled: Callable[[], bool],
) -> SumRows:
    count = SUM_METRICS[model.task.metric.counts]

    def run(some: Any) -> SumRows:
        return count.rows(_outputs(model, weights, split, some, cancelled), _targets(split, some))

    return np.concatenate([*parallel_map(run, _cut(numbers, batch))])


def _of_all(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    cancelled: Callable[[], bool],
) -> Score:
    """Return the score by a metric that wants all outputs at once."""

    def run(some: Any) -> tuple[Any, Any]:
        return _outputs(model, weights, split, some, cancelled), _targets(split, some)

    found = [*parallel_map(run, _cut(np.arange(len(split)), batch_size_for(model)))]
    measure, name = model.task.measure, model.task.metric.name
    assert measure is not None  # such a metric comes with its function
    value = measure([one for one, _ in found], [one for _, one in found])
    figures, every = {name: value}, len(split)
    without = sum(
        int((~one.isfinite().reshape(len(one), -1).all(dim=1)).sum())
        for one, _ in found
        if isinstance(one, Tensor) and one.ndim
    )
    return Score(name, value, value, value, every, every, figures, not_finite=without)


def _outputs(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    numbers: Any,
    cancelled: Callable[[], bool],
) -> Any:
    if cancelled():
        raise Cancelled("Measuring was stopped.")
    return shell(model)(weights, model.task.inputs(split.examples[numbers]))


def _targets(split: Split, numbers: Any) -> Any:
    return targets(split.labels[numbers])


def _cut(numbers: Any, size: int) -> list[Any]:
    return [numbers[at : at + size] for at in range(0, len(numbers), size)]
