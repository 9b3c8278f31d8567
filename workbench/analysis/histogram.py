"""The weights of one layer, counted before and after compression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.artifact_for import artifact_for
from workbench.artifact.artifact import Artifact
from workbench.domain import Model
from workbench.errors import RecipeError
from workbench.recipe import Recipe

BINS = 61
"""Odd, so that one bin lies around zero."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """The weights of `layer` counted in bins of equal width between `edges`, float64 [bins + 1].

    `before` (the original's) and `after` (the decoded file's) count the weights that are not
    exactly zero, int64 [bins]; `zeros` counts those that are, before and after, `distinct` the
    different values other than zero, and `weights` all of them.
    """

    model: str
    layer: str
    edges: NDArray[np.float64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    zeros: tuple[int, int]
    distinct: tuple[int, int]
    weights: int

    def __repr__(self) -> str:
        return (
            f"<Histogram {self.layer} of {self.model}: {self.weights:,} weights, "
            f"zeros {self.zeros[0]:,} before and {self.zeros[1]:,} after, "
            f"other values {self.distinct[0]:,} before and {self.distinct[1]:,} after>"
        )


def histogram(model: Model, what: Recipe | Artifact, layer: str) -> Histogram:
    """Return how many weights of `layer` lie where, in `model` and in its compressed file.

    `what` is a recipe, or a file of the model.

    Raises
    ------
    RecipeError, ArtifactError
        When the recipe or the file does not fit the model, or it has no such layer.

    >>> import workbench as wb
    >>> model = wb.model("fashion/lenet-300-100")
    >>> found = wb.histogram(model, wb.Recipe(quantize=wb.Quantize(bits=2)), "fc1.weight")
    >>> found.weights - found.zeros[1] == int(found.after.sum())
    True
    """
    artifact = artifact_for(model, what)
    if not model.layers:
        raise RecipeError(f"{model.name} has no layers, and so no weights of one to count.")
    if layer not in model.layers:
        raise RecipeError(
            f"There is no layer {layer!r} in {model.name}: choose from {', '.join(model.layers)}."
        )
    before = model.weights()[layer].numpy().ravel()
    after = artifact.tensors[layer].tensor().numpy().ravel()
    widest = max(float(np.abs(values).max(initial=0)) for values in (before, after)) or 1.0
    edges = np.linspace(-widest, widest, BINS + 1)
    return Histogram(
        model=model.name,
        layer=layer,
        edges=edges,
        before=_counts(before, edges),
        after=_counts(after, edges),
        zeros=(_zeros(before), _zeros(after)),
        distinct=(_distinct(before), _distinct(after)),
        weights=before.size,
    )


def _counts(values: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.histogram(values[values != 0], edges)[0].astype(np.int64)


def _zeros(values: NDArray[np.float32]) -> int:
    return int(values.size - np.count_nonzero(values))


def _distinct(values: NDArray[np.float32]) -> int:
    return len(np.unique(values[values != 0]))
