"""The measured entries of a model card."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from workbench.calibration.structure import change_structure
from workbench.compression.stats import CalibrationStats
from workbench.domain import Model, Split
from workbench.domain.metric import ACCURACY, R2
from workbench.errors import InputError
from workbench.evaluation.report import Score
from workbench.evaluation.scores import reference_score
from workbench.profiling.resources import layer_profiles, macs, peak_memory
from workbench.recipe import Adjust, Recipe

FIGURES = "figures"
"""The entry of a model card with the secondary figures of the original."""
RENAMED = {"explained variance": R2.name}
"""Figures that cards of earlier versions hold, and their names now."""

log = logging.getLogger(__name__)


def measure_card(model: Model, weights: Mapping[str, Tensor], *splits: Split) -> dict[str, Any]:
    """Return the card of the module, with the scores of `weights` on `splits`.

    Entries about the module are also stored in `model.card`: the evaluation derives its batch
    size from them.

    Raises
    ------
    InputError
        If the module fails on some of the data, or returns NaN or infinity.
    """
    card = model.card
    card["parameters"] = sum(p.numel() for p in model.module().parameters())
    card["macs"] = _count(model, weights, macs)
    card["peak_memory"] = _count(model, weights, peak_memory)
    card["layers"] = layer_profiles(model, weights)
    card["tensors"] = {name: list(tensor.shape) for name, tensor in weights.items()}
    card["equalizable"] = _equalizable(model, weights)
    card["most_left_out"] = model.architecture.most_left_out
    scores = {split.name: reference_score(model, weights, split) for split in splits}
    for name, score in scores.items():
        if score.not_finite:
            raise InputError(
                f"The module returns NaN or infinity for {score.not_finite:,} of "
                f"{score.examples:,} {name} examples: its outputs must be finite.",
                code="module.not_finite",
            )
    return {
        **card,
        "accuracy": {name: score_entry(score) for name, score in scores.items()},
        FIGURES: figures_entry(model, weights, scores["validation"]),
    }


def _count(
    model: Model, weights: Mapping[str, Tensor], count: Callable[[Model, Mapping[str, Tensor]], int]
) -> int:
    """Return the result of `count`, or 0 if it fails on a module that otherwise runs."""
    try:
        return count(model, weights)
    except Exception as error:  # noqa: BLE001 - counters do not support every operation
        log.info("%s of %s is not counted: %s", count.__name__, model.name, error)
        return 0


def _equalizable(model: Model, weights: Mapping[str, Tensor]) -> str:
    """Return whether channel ranges can be equalized: "always", if norms are "folded", or ""."""
    settings = {
        "always": Adjust("keep", equalize="pairs"),
        "folded": Adjust("fold", equalize="pairs"),
    }
    for name, adjust in settings.items():
        try:
            prepared = change_structure(model, Recipe(adjust), CalibrationStats(), weights)
        except Exception as error:  # noqa: BLE001 - a user's module may fail in any way
            log.info("equalization of %s is not possible: %s", model.name, error)
            return ""
        if prepared.equalized:
            return name
    return ""


def figures_entry(model: Model, weights: Mapping[str, Tensor], score: Score) -> dict[str, float]:
    """Return what the card of results shows of the original in addition to accuracy and size.

    Parameters
    ----------
    model, weights
        The model, and its tensors by name, of any shape.
    score
        The score of `weights` on validation.

    Returns
    -------
    dict of float
        ``zeros``, the share of zeros in the layers, 0 to 1; ``nonzero``, the number of nonzero
        parameters; and of a classifier ``recall`` and ``f1``, each 0 to 1.
    """
    layers = [weights[name] for name in model.layers]
    total = sum(tensor.numel() for tensor in layers)
    nonzero = sum(int(tensor.count_nonzero()) for tensor in layers)
    parameters = [name for name, _parameter in model.module().named_parameters()]
    return {
        "zeros": (total - nonzero) / (total or 1),
        "nonzero": sum(int(weights[name].count_nonzero()) for name in parameters),
        **{name: score.figures[name] for name in ("recall", "f1") if name in score.figures},
    }


def with_current_names(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model card with the names that its figures have now."""
    entries = {
        split: {RENAMED.get(name, name): value for name, value in entry.items()}
        for split, entry in card["accuracy"].items()
    }
    return {**card, "accuracy": entries}


def score_entry(score: Score) -> dict[str, float]:
    """Return the entry of a model card for a score of the original."""
    if score.metric == ACCURACY.name:
        return {"correct": round(score.value * score.examples), "examples": score.total}
    return {**score.figures, "value": score.value, "examples": score.total}
