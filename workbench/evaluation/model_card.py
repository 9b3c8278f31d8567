"""What a model's card says that is measured rather than told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from workbench.domain import Model, Split
from workbench.domain.metric import ACCURACY
from workbench.errors import WorkbenchError
from workbench.evaluation.report import Score
from workbench.evaluation.scores import reference_score
from workbench.profiling.resources import layer_profiles, macs, peak_memory

log = logging.getLogger(__name__)


def measure_card(model: Model, weights: Mapping[str, Tensor], *splits: Split) -> dict[str, Any]:
    """Return what a card says of the module and of how `weights` do on `splits`.

    What is found is put on `model.card` on the way, because what is judged is paced by it.

    Raises
    ------
    WorkbenchError
        When the module fails on some of the data, or gives NaN or infinity.
    """
    card = model.card
    card["parameters"] = sum(p.numel() for p in model.module().parameters())
    card["macs"] = _counted(model, weights, macs)
    card["peak_memory"] = _counted(model, weights, peak_memory)
    card["layers"] = layer_profiles(model, weights)
    card["tensors"] = {name: list(tensor.shape) for name, tensor in weights.items()}
    scores = {split.name: reference_score(model, weights, split) for split in splits}
    for name, score in scores.items():
        if score.not_finite:
            raise WorkbenchError(
                f"The module gives NaN or infinity for {score.not_finite:,} of {score.examples:,} "
                f"{name} examples: its outputs must be finite numbers."
            )
    return {**card, "accuracy": {name: score_entry(score) for name, score in scores.items()}}


def _counted(
    model: Model, weights: Mapping[str, Tensor], count: Callable[[Model, Mapping[str, Tensor]], int]
) -> int:
    """Return what `count` finds, or 0 where it cannot follow a module that runs all the same."""
    try:
        return count(model, weights)
    except Exception as error:  # noqa: BLE001 - a counter follows operations that it may not know
        log.info("%s of %s is not counted: %s", count.__name__, model.name, error)
        return 0


def score_entry(score: Score) -> dict[str, float]:
    """Return what a card says of an original's score."""
    if score.metric == ACCURACY.name:
        return {"correct": round(score.value * score.examples), "examples": score.total}
    return {**score.figures, "value": score.value, "examples": score.total}
