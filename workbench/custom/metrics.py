"""Which metric a person's own task is measured by: a built-in one, theirs, or torchmetrics'."""

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
from workbench.domain.metric import ACCURACY, METRICS, PERPLEXITY, RMSE, Metric
from workbench.errors import WorkbenchError, user_errors
from workbench.i18n import mark as N_
from workbench.recipe.schema import brief

Measure = Callable[[list[Any], list[Any]], float]

CUSTOM = N_("own metric")
"""What a function without a name is called."""
FULL_OUTPUT_METRICS: dict[str, Measure] = {"mean average precision": mean_average_precision}
"""Built-in metrics that want all outputs at once."""


def metric_for(chosen: Any, outputs: Any, split: Split) -> tuple[Metric, Measure | None]:
    """Return the metric that was `chosen` and, where it wants all outputs at once, its function.

    Parameters
    ----------
    chosen
        None for the usual one of such labels; a name; a torchmetrics object; or a function of
        all outputs and all targets that returns a number, higher for better unless its attribute
        `higher_is_better` is false.
    outputs
        What the module gives for some examples of `split`.

    Raises
    ------
    WorkbenchError
        When it is none of these, or the labels do not fit it.
    """
    if isinstance(chosen, str):
        return _named(chosen, outputs, split)
    if chosen is None:
        return _usual(outputs, split), None
    if not callable(chosen):
        raise WorkbenchError(
            f"metric must be one of {', '.join((*METRICS, *FULL_OUTPUT_METRICS))}, a torchmetrics object or a "
            f"function of all outputs and all targets, not {brief(chosen)}."
        )
    higher = getattr(chosen, "higher_is_better", True)
    name = getattr(chosen, "__name__", type(chosen).__name__)
    name = CUSTOM if name == "<lambda>" else name
    metric = Metric(name, "whole", higher_is_better=higher is not False, share=False)
    measure = _of_object(chosen) if hasattr(chosen, "update") else _of_function(chosen)
    return metric, _in_words(name, measure)


def check_same_targets(metric: Metric, splits: Sequence[Split]) -> None:
    """Refuse splits whose targets are not all of the kind that a built-in `metric` counts.

    Raises
    ------
    WorkbenchError
        When classes stand beside numbers, or their dimensions differ.
    """
    if metric.counts == "whole":
        return
    first = splits[0]
    for other in splits[1:]:
        if _kind(other) != _kind(first):
            raise WorkbenchError(
                f"The {other.name} targets are {_kind(other)}, but the {first.name} targets are "
                f"{_kind(first)}: give the same kind in every split."
            )


def _kind(split: Split) -> str:
    labels = split.labels
    if isinstance(labels, PaddedRows):
        return "whole numbers [n, m]"
    if not isinstance(labels, np.ndarray):
        return "of several sizes"
    numbers = "whole numbers" if np.issubdtype(labels.dtype, np.integer) else "numbers"
    return f"{numbers} [{', '.join(['n', *'m' * (labels.ndim - 1)])}]"


def _named(chosen: str, outputs: Any, split: Split) -> tuple[Metric, Measure | None]:
    if chosen in FULL_OUTPUT_METRICS:
        _check_detected(chosen, outputs)
        return Metric(chosen, "whole"), _in_words(chosen, FULL_OUTPUT_METRICS[chosen])
    if chosen not in METRICS:
        raise WorkbenchError(
            f"There is no metric {chosen!r}: choose one of {', '.join((*METRICS, *FULL_OUTPUT_METRICS))}, or "
            "give a function of all outputs and all targets."
        )
    metric, usual = METRICS[chosen], _usual(outputs, split)
    if metric.counts != usual.counts:
        fitting = [one.name for one in METRICS.values() if one.counts == usual.counts]
        raise WorkbenchError(
            f"The {split.name} targets are not such that {chosen} can be counted: these are "
            f"measured by {', '.join(fitting)}."
        )
    return metric, None


def _usual(outputs: Any, split: Split) -> Metric:
    labels = split.labels
    first = labels[:1] if isinstance(labels, np.ndarray) else labels[:1].to_batch()
    if getattr(first, "dtype", None) in (np.bool_, torch.bool):
        raise WorkbenchError(
            f"The {split.name} targets are true or false, which no built-in metric compares: give "
            "0 and 1 as int64 for classes or as float32 for numbers, or give metric=."
        )
    asked = min(PROBE_EXAMPLES, len(split))
    if isinstance(labels, PaddedRows):
        labels = labels[:asked].to_batch().numpy()
    if isinstance(labels, np.ndarray) and isinstance(outputs, Tensor) and outputs.ndim:
        if len(outputs) != asked:
            raise WorkbenchError(
                f"The module gives outputs for {len(outputs):,} examples when asked for {asked:,}: "
                "their first dimension must count the examples."
            )
        if not np.issubdtype(labels.dtype, np.integer):
            _check_numbers(outputs, split)
            return RMSE
        if labels.ndim == 1 and outputs.ndim == 2:
            return ACCURACY
        if labels.ndim == 2 and outputs.ndim == 3 and labels.shape[1] == outputs.shape[1]:
            return PERPLEXITY
    shape = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
    raise WorkbenchError(
        f"The module gives {shape} for such targets, which no built-in metric compares: give "
        "metric=, a function of all outputs and all targets."
    )


def _check_numbers(outputs: Tensor, split: Split) -> None:
    """Refuse outputs that are other in number than the numbers to be predicted."""
    wanted, given = split.labels[:1].size, outputs[:1].numel()
    if wanted != given:
        raise WorkbenchError(
            f"The module gives {given:,} numbers for each example, but the {split.name} targets "
            f"hold {wanted:,}: give as many, or class numbers as int64 if these are classes."
        )


def _check_detected(name: str, outputs: Any) -> None:
    """Refuse outputs other than a list with what was found on each image."""
    wanted = {"boxes", "labels", "scores"}
    if not isinstance(outputs, list | tuple) or not all(
        isinstance(one, Mapping) and wanted <= set(one) for one in outputs
    ):
        raise WorkbenchError(
            f"The metric {name} is for detectors, which return a dict of boxes, labels and scores "
            f"for each image, but this module returns {type(outputs).__name__}: choose another."
        )


def _in_words(name: str, measure: Measure) -> Measure:
    """Return `measure`, whose troubles are then sentences."""

    def measured(outputs: list[Any], targets: list[Any]) -> float:
        with user_errors(f"The metric {name} fails"):
            return measure(outputs, targets)

    return measured


def _number(found: Any) -> float:
    """Return what a metric returned as a number."""
    try:
        return float(found)
    except (TypeError, ValueError, RuntimeError) as error:
        raise WorkbenchError(
            f"The metric returns {brief(found)}: it must return one number."
        ) from error


def _of_function(function: Any) -> Measure:
    def measure(outputs: list[Any], targets: list[Any]) -> float:
        return _number(function(_joined(outputs), _joined(targets)))

    return measure


def _of_object(metric: Any) -> Measure:
    """Return what runs a copy of a torchmetrics object: one update for each batch, compute.

    Students that train side by side measure at the same time, each with a copy of its own.
    """

    def measure(outputs: list[Any], targets: list[Any]) -> float:
        own = copy.deepcopy(metric)
        own.reset()
        for found, true in zip(outputs, targets, strict=True):
            own.update(found, true)
        return _number(own.compute())

    return measure


def _joined(batches: list[Any]) -> Any:
    """Return batches as one where they are tensors or lists, else as they are."""
    if all(isinstance(one, Tensor) for one in batches):
        return torch.cat(batches)
    if all(isinstance(one, list) for one in batches):
        return [item for one in batches for item in one]
    return batches
