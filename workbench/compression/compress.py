"""The whole of compression: named weights and a recipe in, coded tensors out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.compression.coded import Coded, Plain
from workbench.compression.evidence import Evidence
from workbench.compression.grid import Grid
from workbench.compression.layers import compressible
from workbench.compression.prune import masks
from workbench.compression.quantize import quantize
from workbench.errors import RecipeError
from workbench.recipe import Recipe


@torch.no_grad()
def code(
    weights: Mapping[str, Tensor],
    recipe: Recipe,
    evidence: Evidence | None = None,
    *,
    kept: Mapping[str, Tensor] | None = None,
    grids: Mapping[str, list[Grid]] | None = None,
) -> dict[str, Coded]:
    """Return every tensor of `weights`, pruned and quantised as `recipe` says, in order.

    Nothing of the caller's is changed. Tensors with fewer than two dimensions stay as they are.
    `kept` are masks (True: keep) and `grids` quantisers, both by name, that training has already
    settled; without them they are found from the weights.

    Raises
    ------
    RecipeError
        When the recipe names a tensor that is not there, or a tensor holds NaN or infinity.
    """
    names = compressible(weights)
    recipe.check_names(names)
    for name, weight in weights.items():
        if weight.is_floating_point() and not torch.isfinite(weight).all():
            raise RecipeError(
                f"{name} holds NaN or infinity: mend the model before compressing it."
            )
    if kept is None:
        kept = masks(weights, recipe.prune, evidence or Evidence()) if recipe.prune else {}
    grids = grids or {}
    coded: dict[str, Coded] = {}
    for name, weight in weights.items():
        pruned = torch.where(kept[name], weight, 0) if name in kept else weight
        if name in names and recipe.quantize:
            coded[name] = quantize(name, pruned, recipe.quantize, grids.get(name))
        else:
            coded[name] = Plain.of(pruned)
    return coded
