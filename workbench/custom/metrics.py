"""Choose the metric of a user's task: built in, a function, or a torchmetrics object."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.custom.average_precision import mean_average_precision
from workbench.custom.model import PROBE_EXAMPLES
from workbench.domain import Split
from workbench.domain.lazy_rows import PaddedRows
from workbench.domain.metric import (
    ACCURACY,
    MEAN_AVERAGE_PRECISION,
    METRICS,
    PERPLEXITY,
    RMSE,
    Metric,
    metric_named,
)
from workbench.errors import InputError, user_errors
from workbench.i18n import mark as N_
from workbench.recipe.schema import brief

Measure = Callable[[list[Any], list[Any]], float]

CUSTOM = N_("custom metric")
"""Display name of anonymous functions."""
FULL_OUTPUT_METRICS: dict[str, Measure] = {MEAN_AVERAGE_PRECISION.name: mean_average_precision}
"""Built-in metrics that need all outputs at once."""
NAMES = ", ".join((*METRICS, *FULL_OUTPUT_METRICS))


def metric_for(metric: Any, outputs: Any, split: Split) -> tuple[Metric, Measure | None]:
    """Return the metric and, if it needs all outputs at once, its function.

    Parameters
    ----------
    metric
        None for the default of such labels; a name; a torchmetrics object; or a function of all
        outputs and all targets that returns a number, where higher is better unless its attribute
        `higher_is_better` is false.
    outputs
        The outputs of the module for the first examples of `split`.

    Raises
    ------
    InputError
        If it is none of these, or the labels do not fit it.
    """
    if isinstance(metric, str):
        return _named(metric, outputs, split)
    if metric is None:
        return _default(outputs, split), None
    if not callable(metric):
        raise InputError(
            f"metric must be one of {NAMES}, a torchmetrics object or a function of all outputs "
            f"and all targets, not {brief(metric)}.",
            code="metric.invalid_type",
        )
    higher = getattr(metric, "higher_is_better", True)
    name = getattr(metric, "__name__", type(metric).__name__)
    name = CUSTOM if name == "<lambda>" else name
    measure = _of_object(metric) if hasattr(metric, "update") else _of_function(metric)
    return (
        Metric(name, "whole", higher_is_better=higher is not False, is_fraction=False),
        _checked(name, measure),
    )


def check_same_targets(metric: Metric, splits: Sequence[Split]) -> None:
    """Check that the targets of all splits have the same type, for a built-in `metric`.

    Raises
    ------
    InputError
        If one split has classes and another numbers, or their dimensions differ.
    """
    if metric.counts == "whole":
        return
    first = splits[0]
    for other in splits[1:]:
        if _target_type(other) != _target_type(first):
            raise InputError(
                f"The {other.name} targets are {_target_type(other)}, but the {first.name} targets "
                f"are {_target_type(first)}: give the same type in every split.",
                code="data.mixed_targets",
            )


def _target_type(split: Split) -> str:
    labels = split.labels
    if isinstance(labels, PaddedRows):
        return "integers [n, m]"
    if not isinstance(labels, np.ndarray):
        return "of several sizes"
    numbers = "integers" if np.issubdtype(labels.dtype, np.integer) else "numbers"
    return f"{numbers} [{', '.join(['n', *'m' * (labels.ndim - 1)])}]"


def _named(name: str, outputs: Any, split: Split) -> tuple[Metric, Measure | None]:
    if name in FULL_OUTPUT_METRICS:
        _check_detections(name, outputs)
        return metric_named(name), _checked(name, FULL_OUTPUT_METRICS[name])
    if name not in METRICS:
        raise InputError(
            f"There is no metric {name!r}: choose one of {NAMES}, or pass a function of all "
            "outputs and all targets.",
            code="metric.unknown",
        )
    metric, default = METRICS[name], _default(outputs, split)
    if metric.counts != default.counts:
        suitable = [m.name for m in METRICS.values() if m.counts == default.counts]
        raise InputError(
            f"The metric {name} does not apply to the {split.name} targets: use "
            f"{', '.join(suitable)}.",
            code="metric.unsuitable",
        )
    return metric, None


def _default(outputs: Any, split: Split) -> Metric:
    """Return the default metric for the shapes and dtypes of outputs and targets."""
    labels = split.labels
    first = labels[:1] if isinstance(labels, np.ndarray) else labels[:1].to_batch()
    if getattr(first, "dtype", None) in (np.bool_, torch.bool):
        raise InputError(
            f"The {split.name} targets are boolean, which no built-in metric supports: give 0 and "
            "1 as int64 for classes or as float32 for numbers, or pass metric=.",
            code="data.boolean_targets",
        )
    count = min(PROBE_EXAMPLES, len(split))
    if isinstance(labels, PaddedRows):
        labels = labels[:count].to_batch().numpy()
    if isinstance(labels, np.ndarray) and isinstance(outputs, Tensor) and outputs.ndim:
        if len(outputs) != count:
            raise InputError(
                f"The module returns outputs for {len(outputs):,} examples when it is given "
                f"{count:,}: their first dimension must be the number of examples.",
                code="module.output_rows",
            )
        if not np.issubdtype(labels.dtype, np.integer):
            _check_numbers(outputs, split)
            return RMSE
        if labels.ndim == 1 and outputs.ndim == 2:
            return ACCURACY
        if labels.ndim == 2 and outputs.ndim == 3 and labels.shape[1] == outputs.shape[1]:
            return PERPLEXITY
    shape = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
    raise InputError(
        f"The module returns {shape} for such targets, which no built-in metric supports: pass "
        "metric=, a function of all outputs and all targets.",
        code="metric.needed",
    )


def _check_numbers(outputs: Tensor, split: Split) -> None:
    """Refuse outputs with another number of values per example than the targets."""
    expected, actual = split.labels[:1].size, outputs[:1].numel()
    if expected != actual:
        raise InputError(
            f"The module returns {actual:,} numbers for each example, but the {split.name} targets "
            f"have {expected:,}: return as many, or pass class indices as int64 if these are "
            "classes.",
            code="module.output_size",
        )


def _check_detections(name: str, outputs: Any) -> None:
    """Refuse outputs that are not a list of detections, one dict per image."""
    required = {"boxes", "labels", "scores"}
    if not isinstance(outputs, list | tuple) or not all(
        isinstance(image, Mapping) and required <= set(image) for image in outputs
    ):
        raise InputError(
            f"The metric {name} is for detectors, which return a dict of boxes, labels and scores "
            f"for each image, but this module returns {type(outputs).__name__}: choose another.",
            code="metric.unsuitable",
        )


def _checked(name: str, measure: Measure) -> Measure:
    """Return `measure` with exceptions converted to `InputError`."""

    def checked(outputs: list[Any], targets: list[Any]) -> float:
        with user_errors(f"The metric {name} fails", code="metric.failed"):
            return measure(outputs, targets)

    return checked


def _number(value: Any) -> float:
    """Return the result of a metric as a float."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"The metric returns {brief(value)}: it must return one number.",
            code="metric.not_scalar",
        ) from error


def _of_function(function: Any) -> Measure:
    def measure(outputs: list[Any], targets: list[Any]) -> float:
        return _number(function(_joined(outputs), _joined(targets)))

    return measure


def _of_object(metric: Any) -> Measure:
    """Return a function that updates a copy of a torchmetrics object with each batch.

    Students that train at the same time measure at the same time, so each call has its own copy.
    """

    def measure(outputs: list[Any], targets: list[Any]) -> float:
        private = copy.deepcopy(metric)
        private.reset()
        for predicted, true in zip(outputs, targets, strict=True):
            private.update(predicted, true)
        return _number(private.compute())

    return measure


def _joined(batches: list[Any]) -> Any:
    """Return the batches joined if they are tensors or lists, else unchanged."""
    if all(isinstance(batch, Tensor) for batch in batches):
        return torch.cat(batches)
    if all(isinstance(batch, list) for batch in batches):
        return [item for batch in batches for item in batch]
    return batches
