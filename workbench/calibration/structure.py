"""Adjustments before pruning: channel removal, batch-norm folding, range equalization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock

from torch import Tensor

from workbench.artifact.module_spec import ModuleSpec
from workbench.cache.memory import MemoryCache
from workbench.calibration.equalized_pairs import equalizable_pairs, one_to_one_groups
from workbench.calibration.norm_folding import foldable, with_folds
from workbench.compression.channel_pruning import remove_channels
from workbench.compression.equalize import equalize
from workbench.compression.fold_norms import fold
from workbench.compression.stats import CalibrationStats
from workbench.domain import Model
from workbench.graph.channel_groups import channel_groups
from workbench.recipe import Recipe

MAX_CACHED = 4

_lock = Lock()


@dataclass(frozen=True, eq=False)
class PreparedNetwork:
    """The network that pruning and quantization start from.

    Attributes
    ----------
    weights : mapping of str to tensor
    stats : CalibrationStats
        Statistics of the original network, converted to this one as far as possible.
    spec : ModuleSpec
        How the module differs from the original.
    equalized, not_equalized : tuple of str
        Weights whose output ranges were equalized with the next layer, and those that could not be.
    """

    weights: Mapping[str, Tensor]
    stats: CalibrationStats
    spec: ModuleSpec
    equalized: tuple[str, ...] = ()
    not_equalized: tuple[str, ...] = ()


_cache: MemoryCache[PreparedNetwork] = MemoryCache(MAX_CACHED)


def change_structure(
    model: Model,
    recipe: Recipe,
    stats: CalibrationStats,
    weights: Mapping[str, Tensor] | None = None,
) -> PreparedNetwork:
    """Return the network that `recipe` prunes and quantizes.

    Parameters
    ----------
    weights
        The model's own weights unless given. Networks made of the model's weights are cached: most
        changes of a recipe do not affect them.

    Raises
    ------
    RecipeError
        If coupled layers would lose different shares of their channels.
    """
    if weights is not None:
        return _prepared(model, recipe, stats, weights)
    early = Recipe(structure=recipe.structure, adjust=recipe.adjust)
    data = model.task.digest("validation")  # an example of it shows which channels are coupled
    key = model.name, model.digest, data, model.spec, early, stats.digest
    with _lock:
        return _cache.of(
            key,
            lambda: _prepared(model, recipe, stats, model.weights()),
            model.architecture.lifetime,
        )


def _prepared(
    model: Model, recipe: Recipe, stats: CalibrationStats, weights: Mapping[str, Tensor]
) -> PreparedNetwork:
    tensors = dict(weights)
    spec = model.spec
    equalized: tuple[str, ...] = ()
    not_equalized: tuple[str, ...] = ()
    groups = channel_groups(model.architecture) if recipe.structure or recipe.equalizes else ()
    if recipe.structure is not None:
        narrowed = remove_channels(tensors, groups, recipe.structure, stats)
        tensors, stats, groups = narrowed.weights, narrowed.stats, narrowed.groups
        is_narrower = any(tensors[name].shape != weights[name].shape for name in weights)
        spec = replace(spec, narrowed=is_narrower)
    if recipe.folds:
        folds = foldable(model.with_spec(spec), tensors)
        tensors, stats = fold(tensors, folds, stats)
        spec = with_folds(spec, folds)
    if recipe.equalizes:
        pairs = equalizable_pairs(model.with_spec(spec), tensors, groups)
        tensors, stats = equalize(tensors, pairs, stats)
        equalized = tuple(group.producers[0] for group in pairs)
        candidates = (group.producers[0] for group in one_to_one_groups(groups))
        not_equalized = tuple(name for name in candidates if name not in equalized)
    return PreparedNetwork(tensors, stats, spec, equalized, not_equalized)
