"""What a model's card says that is measured rather than told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from workbench.errors import in_words
from workbench.evaluation.report import Score
from workbench.evaluation.resources import layers, macs, peak_memory
from workbench.evaluation.scores import judge_score
from workbench.zoo import Model, Split


def measured(model: Model, weights: Mapping[str, Tensor], *splits: Split) -> dict[str, Any]:
    """Return what a card says of the module and of how `weights` do on `splits`.

    What is found is put on `model.card` on the way, because what is judged is paced by it.

    Raises
    ------
    WorkbenchError
        When the module fails on some of the data.
    """
    card = model.card
    card["parameters"] = sum(p.numel() for p in model.module().parameters())
    with in_words("The module fails on the validation data"):
        card["macs"] = macs(model, weights)
        card["peak_memory"] = peak_memory(model, weights)
        card["layers"] = layers(model, weights)
    card["tensors"] = {name: list(tensor.shape) for name, tensor in weights.items()}
    judged = {split.name: counted(judge_score(model, weights, split)) for split in splits}
    return {**card, "accuracy": judged}


def counted(score: Score) -> dict[str, float]:
    """Return what a card says of an original's score."""
    if score.confusion:
        right = sum(row[place] for place, row in enumerate(score.confusion))
        return {"correct": right, "examples": score.total}
    return {**score.figures, "value": score.value, "examples": score.total}
