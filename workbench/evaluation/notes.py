"""Reasons about a model as such, about its score, and about layers that a recipe cannot reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench import formatting
from workbench.domain import Model
from workbench.evaluation.reason import Reason
from workbench.evaluation.report import Score

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact

MATMUL_KINDS = frozenset(
    ("linear", "convolution", "conv3d", *(f"convtranspose{n}d" for n in (1, 2, 3)))
)
"""Kinds of layers, as in model cards, whose inputs users expect to be quantized."""
MAX_NAMED = 3
"""Layers named in one sentence; more are only counted."""


def model_notes(model: Model) -> tuple[Reason, ...]:
    """Return the reasons that hold for all files of a user's model; none for built-in models."""
    notes = []
    masked = model.card.get("masked")
    if masked:
        notes.append(Reason("masks_folded", formatting.names(masked, MAX_NAMED)))
    if not model.architecture.traits.float64 and model.task.metric.counts == "classes":
        notes.append(Reason("float32_only"))
    return tuple(notes)


def score_reasons(score: Score | None, split: str) -> tuple[Reason, ...]:
    """Return the most important reasons: non-finite outputs, and the weights that cause them."""
    if score is None or not score.not_finite:
        return ()
    kind = "not_finite" if "accuracy" in score.figures else "no_figure"
    numbers = {"without": score.not_finite, "examples": score.examples}
    causes = [Reason(cause, name) for name, cause in score.broken.items()]
    return (Reason(kind, split, numbers), *causes[:MAX_NAMED])


def bypassed_inputs(model: Model, artifact: Artifact) -> tuple[Reason, ...]:
    """Name the layers whose inputs should be quantized, but that the module bypasses."""
    activations = artifact.recipe.activations
    if activations is None or not artifact.recipe.quantizes_activations:
        return ()
    rounded = {f"{path}.weight" for path, _ in artifact.spec.inputs}
    missed = [
        name
        for name, layer in model.card["layers"].items()
        if layer["kind"] in MATMUL_KINDS
        and name in artifact.tensors
        and name not in rounded
        and "." in name  # else the network consists of this layer alone
        and name not in activations.exclude
    ]
    return (Reason("inputs_bypassed", formatting.names(missed, MAX_NAMED)),) if missed else ()
