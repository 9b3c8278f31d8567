"""What is to be said of every figure of a model, and of what a recipe could not reach in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.domain import Model
from workbench.evaluation.reason import Reason
from workbench.evaluation.report import Score

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact

MULTIPLYING = frozenset(
    ("linear", "convolution", "conv3d", *(f"convtranspose{n}d" for n in (1, 2, 3)))
)
"""What cards call the layers whose inputs one would expect to be rounded."""
NAMED = 3
"""Layers that a sentence names before it only counts them."""


def model_notes(model: Model) -> tuple[Reason, ...]:
    """Return what holds for all files of a user's model; nothing for the built-in ones."""
    found = []
    masked = model.card.get("masked")
    if masked:
        found.append(Reason("masks-folded", _listed(masked), {}, 0))
    if not model.architecture.traits.float64 and model.task.metric.counts == "classes":
        found.append(Reason("float32-only", "", {}, 0))
    return tuple(found)


def score_reasons(score: Score | None, split: str) -> tuple[Reason, ...]:
    """Return what is said first: how many outputs are not finite, and which weights are why."""
    if score is None or not score.not_finite:
        return ()
    kind = "not-finite" if "accuracy" in score.figures else "no-figure"
    numbers = {"without": score.not_finite, "judged": score.examples}
    causes = [Reason(why, name, {}, 0) for name, why in score.broken.items()]
    return (Reason(kind, split, numbers, 0), *causes[:NAMED])


def bypassed_inputs(model: Model, artifact: Artifact) -> tuple[Reason, ...]:
    """Name the layers whose inputs were to be rounded, but whose code the module does not run."""
    asked = artifact.recipe.activations
    if asked is None or not artifact.recipe.quantizes_activations:
        return ()
    rounded = {f"{path}.weight" for path, _ in artifact.spec.inputs}
    missed = [
        name
        for name, layer in model.card["layers"].items()
        if layer["kind"] in MULTIPLYING
        and name in artifact.tensors
        and name not in rounded
        and "." in name  # else the network is nothing but that layer
        and name not in asked.exclude
    ]
    return (Reason("inputs-bypassed", _listed(missed), {}, 0),) if missed else ()


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
