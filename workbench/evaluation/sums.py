"""Metrics that are sums over examples: estimates from samples, and the exact value.

The exact value is computed from float32 outputs in dataset order, in fixed batches with one thread
each. Logarithms and sums are float64 and added in that order. The value is therefore bit-identical
in every process and for every number of threads. A metric of all outputs together has no estimate;
it receives the outputs in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model, Split
from workbench.domain.inputs import targets
from workbench.domain.sum_metrics import SUM_METRICS, LabelScale, SumRows
from workbench.evaluation.batch_size import batch_size_for, first_sample_size
from workbench.evaluation.report import Score
from workbench.runtime.batch import layout_weights
from workbench.runtime.shell import shell
from workbench.threads import parallel_map

SECOND_ESTIMATE = 5
"""The size of the second sample, relative to the first."""
MIN_SPLIT = 40
"""The smallest split that gets a second estimate, relative to the first sample."""


def iter_scores(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    *,
    seed: int = 0,
    cancel: CancelToken = NEVER,
) -> Iterator[Score]:
    """Yield up to two estimates from random samples, then the exact score.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    """
    if model.task.metric.counts in SUM_METRICS:
        order = np.random.default_rng(seed).permutation(len(split))
        first = first_sample_size(model)
        arranged = layout_weights(weights, channels_last=model.architecture.traits.channels_last)
        rows: list[SumRows] = []
        for start, stop in ((0, first), (first, SECOND_ESTIMATE * first)):
            if (stop if not start else first * MIN_SPLIT) >= len(split):
                break
            per_thread = -(-(stop - start) // torch.get_num_threads())
            batch = min(per_thread, batch_size_for(model))
            rows.append(_rows(model, arranged, split, order[start:stop], batch, cancel))
            yield score_of_rows(model, np.concatenate(rows), split)
    yield reference_score(model, weights, split, cancel)


def reference_score(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    cancel: CancelToken = NEVER,
) -> Score:
    """Return the exact score of the full `split`.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    """
    if model.task.metric.counts not in SUM_METRICS:
        return _score_of_outputs(model, weights, split, cancel)
    rows = _rows(model, weights, split, np.arange(len(split)), batch_size_for(model), cancel)
    return score_of_rows(model, rows, split)


def reference_outputs(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    cancel: CancelToken = NEVER,
) -> Tensor:
    """Return the outputs for every example, as the exact score is computed from.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    """

    def run(part: Any) -> Tensor:
        outputs: Tensor = _outputs_and_targets(model, weights, split, part, cancel)[0]
        return outputs

    batches = _batches(np.arange(len(split)), batch_size_for(model))
    return torch.cat([*parallel_map(run, batches)])


def score_of_rows(model: Model, rows: SumRows, split: Split) -> Score:
    """Return the score of the examples in `rows`: an estimate unless they are the full split."""
    name, total = model.task.metric.name, len(split)
    metric, labels = SUM_METRICS[model.task.metric.counts], LabelScale.of(model.task, split)
    figures = metric.figures(rows.sum(axis=0), labels)
    low = high = value = figures[name]
    if len(rows) < total:
        low, high = metric.bounds(name, rows, total, labels)
    # outputs that are not finite have sums that are not finite
    not_finite = int(np.count_nonzero(~np.isfinite(rows[:, 0])))
    return Score(name, value, low, high, len(rows), total, figures, not_finite=not_finite)


def _rows(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    indices: Any,
    batch: int,
    cancel: CancelToken,
) -> SumRows:
    metric = SUM_METRICS[model.task.metric.counts]

    def run(part: Any) -> SumRows:
        return metric.rows(*_outputs_and_targets(model, weights, split, part, cancel))

    return np.concatenate([*parallel_map(run, _batches(indices, batch))])


def _score_of_outputs(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    cancel: CancelToken,
) -> Score:
    """Return the score by a metric that needs all outputs at once."""

    def run(part: Any) -> tuple[Any, Any]:
        return _outputs_and_targets(model, weights, split, part, cancel)

    batches = _batches(np.arange(len(split)), batch_size_for(model))
    results = [*parallel_map(run, batches)]
    outputs = [batch for batch, _ in results]
    measure, name = model.task.measure, model.task.metric.name
    assert measure is not None  # such a metric comes with its function
    value, total = measure(outputs, [labels for _, labels in results]), len(split)
    not_finite = sum(
        int((~batch.isfinite().reshape(len(batch), -1).all(dim=1)).sum())
        for batch in outputs
        if isinstance(batch, Tensor) and batch.ndim
    )
    return Score(name, value, value, value, total, total, {name: value}, not_finite=not_finite)


def _outputs_and_targets(
    model: Model,
    weights: Mapping[str, Tensor],
    split: Split,
    indices: Any,
    cancel: CancelToken,
) -> tuple[Any, Any]:
    cancel.check()
    outputs = shell(model)(weights, model.task.inputs(split.examples[indices]))
    return outputs, targets(split.labels[indices])


def _batches(indices: Any, size: int) -> list[Any]:
    return [indices[i : i + size] for i in range(0, len(indices), size)]
