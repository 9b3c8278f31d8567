"""Histogram of the weights of one layer, before and after compression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.analysis.artifact_for import artifact_for
from workbench.artifact.artifact import Artifact
from workbench.display import Displayable
from workbench.domain import Model
from workbench.errors import RecipeError
from workbench.recipe import Recipe

BINS = 61
"""Odd, so that one bin is centered on zero."""


@dataclass(frozen=True, eq=False)
class Histogram(Displayable):
    """The weights of a layer counted in bins of equal width.

    Attributes
    ----------
    model, layer : str
        The names of the model and of the layer's weight tensor.
    edges : ndarray
        The edges of the bins, float64 of shape [bins + 1].
    before, after : ndarray
        The nonzero weights of the original and of the decoded file per bin, int64 of shape [bins].
    zeros : tuple of int
        The weights that are exactly zero, before and after.
    distinct : tuple of int
        The distinct nonzero values, before and after.
    weights : int
        The number of weights.
    """

    _plots = "weights"

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


def histogram(model: Model, compressed: Recipe | Artifact, layer: str) -> Histogram:
    """Count the weights of `layer` by value, in `model` and in its compressed version.

    Parameters
    ----------
    model
        The original model.
    compressed
        A recipe, or an artifact of the model.
    layer
        The name of a weight tensor, such as "fc1.weight".

    Raises
    ------
    RecipeError, ArtifactError
        If the recipe or the artifact does not fit the model, or the model has no such layer.

    Examples
    --------
    >>> import workbench as wb
    >>> model = wb.model("fashion/lenet-300-100")
    >>> result = wb.histogram(model, wb.Recipe(quantize=wb.Quantize(bits=2)), "fc1.weight")
    >>> result.weights - result.zeros[1] == int(result.after.sum())
    True
    """
    artifact = artifact_for(model, compressed)
    if not model.layers:
        raise RecipeError(f"{model.name} has no layers to count.", code="recipe.no_layers")
    if layer not in model.layers:
        raise RecipeError(
            f"There is no layer {layer!r} in {model.name}: choose from {', '.join(model.layers)}.",
            code="recipe.unknown_layer",
        )
    before = model.weights()[layer].numpy().ravel()
    after = artifact.tensors[layer].tensor().numpy().ravel()
    largest = max(float(np.abs(values).max(initial=0)) for values in (before, after)) or 1.0
    edges = np.linspace(-largest, largest, BINS + 1)
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
