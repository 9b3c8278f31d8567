"""What comes before pruning: channels removed, batch norm folded, ranges evened out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock

from torch import Tensor

from workbench.artifact.module_spec import ModuleSpec
from workbench.cache.memory import MemoryCache
from workbench.calibration.equalized_pairs import equalizable_pairs, one_to_one_groups
from workbench.calibration.norm_folding import foldable, with_folds
from workbench.compression.channels import remove_channels
from workbench.compression.equalize import equalize
from workbench.compression.fold_norms import fold
from workbench.compression.stats import CalibrationStats
from workbench.domain import Model
from workbench.graph.channel_groups import channel_groups
from workbench.recipe import Recipe

MOST_KEPT = 4

_one_at_a_time = Lock()


@dataclass(frozen=True, eq=False)
class PreparedNetwork:
    """The network that is compressed: its weights, what is known of it, and how its module differs.

    `evidence` is of this network as far as it can be told from the original's. `even` are the
    weights of the layers that were evened out with the next one, `uneven` of those that could not
    be.
    """

    weights: Mapping[str, Tensor]
    stats: CalibrationStats
    form: ModuleSpec
    equalized: tuple[str, ...] = ()
    not_equalized: tuple[str, ...] = ()


_kept: MemoryCache[PreparedNetwork] = MemoryCache(MOST_KEPT)


def prepare(
    model: Model,
    recipe: Recipe,
    stats: CalibrationStats,
    weights: Mapping[str, Tensor] | None = None,
) -> PreparedNetwork:
    """Return the network that `recipe` prunes and quantises.

    `weights` are the model's unless given; the last few networks made of those are kept, since
    a slider that comes after changes nothing here.

    Raises
    ------
    RecipeError
        When layers that are coupled are to lose different shares of their channels.
    """
    if weights is not None:
        return _prepared(model, recipe, stats, weights)
    early = Recipe(structure=recipe.structure, adjust=recipe.adjust)
    data = model.task.digest("validation")  # an example of it shows which channels are coupled
    key = model.name, model.digest, data, model.spec, early, stats.digest
    with _one_at_a_time:
        return _kept.of(
            key,
            lambda: _prepared(model, recipe, stats, model.weights()),
            model.architecture.lifetime,
        )


def _prepared(
    model: Model, recipe: Recipe, stats: CalibrationStats, weights: Mapping[str, Tensor]
) -> PreparedNetwork:
    left = dict(weights)
    form = model.spec
    even: tuple[str, ...] = ()
    uneven: tuple[str, ...] = ()
    coupled = channel_groups(model.architecture) if recipe.structure or recipe.equalizes else ()
    if recipe.structure is not None:
        narrowed = remove_channels(left, coupled, recipe.structure, stats)
        left, stats, coupled = narrowed.weights, narrowed.stats, narrowed.groups
        narrower = any(left[name].shape != weights[name].shape for name in weights)
        form = replace(form, narrowed=narrower)
    if recipe.folds:
        norms = foldable(model.with_spec(form), left)
        left, stats = fold(left, norms, stats)
        form = with_folds(form, norms)
    if recipe.equalizes:
        evened = equalizable_pairs(model.with_spec(form), left, coupled)
        left, stats = equalize(left, evened, stats)
        even = tuple(group.producers[0] for group in evened)
        uneven = tuple(
            g.producers[0] for g in one_to_one_groups(coupled) if g.producers[0] not in even
        )
    return PreparedNetwork(left, stats, form, even, uneven)
