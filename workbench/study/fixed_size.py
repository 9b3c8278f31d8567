"""Hold the file size: one layer changes, and the sparsity of the others compensates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil

from workbench import formatting
from workbench.arguments import expect_recipe
from workbench.calibration.statistics import calibration_stats
from workbench.calibration.structure import change_structure
from workbench.cancel import NEVER, CancelToken
from workbench.compression.axes import stats_to_canonical, to_canonical
from workbench.compression.prune import masks
from workbench.domain import Model
from workbench.errors import RecipeError
from workbench.i18n import _
from workbench.recipe import Prune, Recipe
from workbench.recipe.off import disabled_part
from workbench.recipe.prune import SPARSITY
from workbench.recipe.unknown_layer import suggested
from workbench.training.compress import compress
from workbench.validation import expect_model

STEP = 1e-3
"""Resolution of sparsities."""
CLOSE = 1e-3
"""The search stops at this relative distance from the target size."""
MAX_ERROR = 0.01
"""Largest relative distance from the target size when all sparsities have reached a limit."""


@dataclass(frozen=True)
class SizedRecipe:
    """A recipe whose file, of `bytes` bytes, is as close to `target` bytes as possible."""

    recipe: Recipe
    target: int
    bytes: int


def hold_size(
    model: Model,
    recipe: Recipe,
    layer: str,
    target: int,
    *,
    cancel: CancelToken = NEVER,
) -> SizedRecipe:
    """Return `recipe` with all layers except `layer` pruned so that its file has `target` bytes.

    The densities (shares of nonzero weights) of the other layers are multiplied by one factor,
    found by a search over real files. `layer` keeps its settings; if it has no sparsity of its own,
    it gets the one it has in the file of `recipe`. Layers excluded from pruning stay excluded.

    Raises
    ------
    RecipeError
        If the other layers cannot compensate, or the recipe does not fit the model.
    Cancelled
        If `cancel` is cancelled between two files.

    Examples
    --------
    >>> import workbench as wb
    >>> from workbench.study import hold_size
    >>> recipe = wb.Recipe(wb.Prune(0.8, layers={"fc1.weight": 0.9}), wb.Quantize(4))
    >>> sized = hold_size(wb.model("fashion/lenet-300-100"), recipe, "fc1.weight", 25_000)
    >>> abs(sized.bytes - 25_000) < 250
    True
    """
    expect_model(model)
    expect_recipe(recipe)
    if not model.layers:
        raise RecipeError(
            f"{model.name} has no layers that could compensate for each other.",
            code="recipe.no_layers",
        )
    if layer not in model.layers:
        raise RecipeError(
            f"The model has no layer {layer!r}: try {', '.join(suggested(layer, model.layers))}.",
            code="recipe.unknown_layer",
        )
    if recipe.train is not None:
        raise RecipeError(
            _("A trained file cannot keep its size: remove training from the recipe first."),
            code="recipe.hold_size_trained",
        )
    recipe = recipe.expanded(model.layers)
    others = _densities(model, recipe, layer)
    if not others:
        raise RecipeError(
            _("No other layer can compensate, because all are excluded. Unlock the size."),
            code="recipe.hold_size_no_layers",
        )
    fixed = _with_own_sparsity(model, recipe, layer)

    def measured(densest: float) -> SizedRecipe:
        cancel.check()
        candidate = _scaled(fixed, others, densest)
        return SizedRecipe(candidate, target, len(compress(model, candidate)))

    closest = _closest(measured, target, max(others.values()) / min(others.values()))
    is_far = abs(closest.bytes - target) > MAX_ERROR * target
    if is_far and _is_at_limit(closest.recipe, others):
        raise RecipeError(
            _(
                "The file cannot keep its {target}: the other layers can only bring it to "
                "{reached}. Change {layer} less, or unlock the size."
            ).format(
                target=formatting.nbytes(target),
                reached=formatting.nbytes(closest.bytes),
                layer=layer,
            ),
            code="recipe.hold_size_out_of_reach",
        )
    return closest


def _densities(model: Model, recipe: Recipe, layer: str) -> dict[str, float]:
    """Return the densities that `recipe` asks of the other layers that can be pruned."""
    prune = _prune(recipe)
    free = [name for name in model.layers if name != layer and name not in prune.exclude]
    default = 0.0 if prune.scope == "named" else prune.sparsity
    return {name: 1 - prune.layers.get(name, default) for name in free}


def _with_own_sparsity(model: Model, recipe: Recipe, layer: str) -> Recipe:
    """Return `recipe` with the sparsity that `layer` has in its file as an explicit setting."""
    prune = _prune(recipe)
    if layer in prune.layers or layer in prune.exclude:
        return recipe
    prepared = change_structure(model, recipe, calibration_stats(model, recipe))
    axes = model.roles.permuted_axes(prepared.weights)
    stats = stats_to_canonical(prepared.stats, axes)
    mask = masks(to_canonical(prepared.weights, axes), prune, stats, model.layers).get(layer)
    sparsity = 0.0 if mask is None else 1 - float(mask.double().mean())
    layers = {**prune.layers, layer: _rounded(sparsity)}
    return replace(recipe, prune=replace(prune, layers=layers))


def _scaled(recipe: Recipe, others: dict[str, float], densest: float) -> Recipe:
    """Return `recipe` with the densities of `others` scaled so that the largest is `densest`.

    Densities are limited to 1.
    """
    prune = _prune(recipe)
    factor = densest / max(others.values())
    sparsities = {name: _rounded(1 - density * factor) for name, density in others.items()}
    named = prune.scope == "named"
    layers = dict(prune.layers)
    layers |= {name: sparsities[name] for name in others if name in layers or named}
    sparsity = prune.sparsity if named else _rounded(1 - (1 - prune.sparsity) * factor)
    return replace(recipe, prune=replace(prune, sparsity=sparsity, layers=layers))


def _closest(measured: Callable[[float], SizedRecipe], target: int, most: float) -> SizedRecipe:
    """Return the file closest to `target` bytes, searching largest densities up to `most`."""
    low, high = round((1 - SPARSITY.high) / STEP), ceil(most / STEP)
    largest = measured(high * STEP)
    if largest.bytes <= target:
        return largest
    smallest = measured(low * STEP)
    tried = [largest, smallest]
    if smallest.bytes >= target:
        return smallest
    while high - low > 1 and abs(tried[-1].bytes - target) > CLOSE * target:
        share = (target - smallest.bytes) / (largest.bytes - smallest.bytes)
        # Sizes are nearly linear in densities, so interpolate. Every other step bisects, which
        # bounds the number of files where they are not.
        guess = low + (round(share * (high - low)) if len(tried) % 2 == 0 else (high - low) // 2)
        middle = min(max(guess, low + 1), high - 1)
        tried.append(measured(middle * STEP))
        if tried[-1].bytes <= target:
            low, smallest = middle, tried[-1]
        else:
            high, largest = middle, tried[-1]
    return min(tried, key=lambda sized: abs(sized.bytes - target))


def _is_at_limit(recipe: Recipe, others: dict[str, float]) -> bool:
    """Whether the other layers are all as dense or all as sparse as possible."""
    prune = _prune(recipe)
    sparsities = {prune.layers.get(name, prune.sparsity) for name in others}
    return max(sparsities) == 0 or min(sparsities) >= SPARSITY.high


def _prune(recipe: Recipe) -> Prune:
    prune: Prune = recipe.prune or disabled_part("prune")
    return prune


def _rounded(sparsity: float) -> float:
    steps = round(min(max(sparsity, 0.0), SPARSITY.high) / STEP)
    return round(steps * STEP, 6)
