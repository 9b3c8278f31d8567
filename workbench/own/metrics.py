"""Which metric a person's own task is measured by: a built-in one, theirs, or torchmetrics'."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from workbench.errors import WorkbenchError
from workbench.own.detection import mean_average_precision
from workbench.recipe.schema import brief
from workbench.zoo import Split
from workbench.zoo.metric import ACCURACY, ERROR, METRICS, PERPLEXITY, Metric

Measure = Callable[[list[Any], list[Any]], float]

WHOLE: dict[str, Measure] = {"mean average precision": mean_average_precision}
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
            f"metric must be one of {', '.join((*METRICS, *WHOLE))}, a torchmetrics object or a "
            f"function of all outputs and all targets, not {brief(chosen)}."
        )
    higher = getattr(chosen, "higher_is_better", True)
    name = getattr(chosen, "__name__", type(chosen).__name__)
    metric = Metric(name, "whole", higher_is_better=higher is not False, share=False)
    return metric, _of_object(chosen) if hasattr(chosen, "update") else _of_function(chosen)


def _named(chosen: str, outputs: Any, split: Split) -> tuple[Metric, Measure | None]:
    if chosen in WHOLE:
        return Metric(chosen, "whole"), WHOLE[chosen]
    if chosen not in METRICS:
        raise WorkbenchError(
            f"There is no metric {chosen!r}: choose one of {', '.join((*METRICS, *WHOLE))}, or "
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
    if isinstance(labels, np.ndarray) and isinstance(outputs, Tensor):
        if not np.issubdtype(labels.dtype, np.integer):
            return ERROR
        if labels.ndim == 1 and outputs.ndim == 2:
            return ACCURACY
        if labels.ndim == 2 and outputs.ndim == 3:
            return PERPLEXITY
    shape = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
    raise WorkbenchError(
        f"The module gives {shape} for such targets, which no built-in metric compares: give "
        "metric=, a function of all outputs and all targets."
    )


def _of_function(function: Any) -> Measure:
    def measure(outputs: list[Any], targets: list[Any]) -> float:
        return float(function(_joined(outputs), _joined(targets)))

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
        return float(own.compute())

    return measure


def _joined(batches: list[Any]) -> Any:
    """Return batches as one where they are tensors or lists, else as they are."""
    import torch

    if all(isinstance(one, Tensor) for one in batches):
        return torch.cat(batches)
    if all(isinstance(one, list) for one in batches):
        return [item for one in batches for item in one]
    return batches
