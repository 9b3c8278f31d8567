"""What comes before pruning: channels removed, batch norm folded, ranges evened out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock

from torch import Tensor

from workbench.artifact.module_spec import Form
from workbench.cache.memory import Cache
from workbench.calibration.equalized_pairs import pairs, single
from workbench.calibration.norm_folding import foldable, with_folds
from workbench.compression.channels import narrow
from workbench.compression.equalize import equalize
from workbench.compression.fold_norms import fold
from workbench.compression.stats import Evidence
from workbench.domain import Model
from workbench.graph.channel_groups import groups
from workbench.recipe import Recipe

MOST_KEPT = 4

_one_at_a_time = Lock()


@dataclass(frozen=True, eq=False)
class Prepared:
    """The network that is compressed: its weights, what is known of it, and how its module differs.

    `evidence` is of this network as far as it can be told from the original's. `even` are the
    weights of the layers that were evened out with the next one, `uneven` of those that could not
    be.
    """

    weights: Mapping[str, Tensor]
    evidence: Evidence
    form: Form
    even: tuple[str, ...] = ()
    uneven: tuple[str, ...] = ()


_kept: Cache[Prepared] = Cache(MOST_KEPT)


def prepare(
    model: Model, recipe: Recipe, evidence: Evidence, weights: Mapping[str, Tensor] | None = None
) -> Prepared:
    """Return the network that `recipe` prunes and quantises.

    `weights` are the model's unless given; the last few networks made of those are kept, since
    a slider that comes after changes nothing here.

    Raises
    ------
    RecipeError
        When layers that are coupled are to lose different shares of their channels.
    """
    if weights is not None:
        return _prepared(model, recipe, evidence, weights)
    early = Recipe(structure=recipe.structure, adjust=recipe.adjust)
    data = model.task.digest("validation")  # an example of it shows which channels are coupled
    key = model.name, model.digest, data, model.form, early, evidence.digest
    with _one_at_a_time:
        return _kept.of(
            key,
            lambda: _prepared(model, recipe, evidence, model.weights()),
            model.architecture.life,
        )


def _prepared(
    model: Model, recipe: Recipe, evidence: Evidence, weights: Mapping[str, Tensor]
) -> Prepared:
    left = dict(weights)
    form = model.form
    even: tuple[str, ...] = ()
    uneven: tuple[str, ...] = ()
    coupled = groups(model.architecture) if recipe.structure or recipe.equalizes else ()
    if recipe.structure is not None:
        narrowed = narrow(left, coupled, recipe.structure, evidence)
        left, evidence, coupled = narrowed.weights, narrowed.evidence, narrowed.groups
        narrower = any(left[name].shape != weights[name].shape for name in weights)
        form = replace(form, narrowed=narrower)
    if recipe.folds:
        norms = foldable(model.in_form(form), left)
        left, evidence = fold(left, norms, evidence)
        form = with_folds(form, norms)
    if recipe.equalizes:
        evened = pairs(model.in_form(form), left, coupled)
        left, evidence = equalize(left, evened, evidence)
        even = tuple(group.makers[0] for group in evened)
        uneven = tuple(g.makers[0] for g in single(coupled) if g.makers[0] not in even)
    return Prepared(left, evidence, form, even, uneven)
