"""A file that keeps its size: one layer changes, and the others share what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil

from workbench import formatting
from workbench.calibration.prepare import prepare
from workbench.calibration.statistics import calibration_stats
from workbench.compression.axes import stats_to_canonical, to_canonical
from workbench.compression.prune import masks
from workbench.domain import Model
from workbench.errors import Cancelled, RecipeError
from workbench.i18n import _
from workbench.pipeline import compress
from workbench.recipe import Prune, Recipe
from workbench.recipe.off import disabled_part
from workbench.recipe.prune import SPARSITY
from workbench.validation import expect_model, expect_recipe

STEP = 1e-3
"""Of a sparsity: shares are found no finer."""
CLOSE = 1e-3
"""How far from what was asked, as a share of it, a file may be for no nearer one to be sought."""
NEAR = 0.01
"""How far from what was asked, as a share of it, a file may be where sparsities have ended."""


@dataclass(frozen=True)
class SizedRecipe:
    """A recipe whose file is as near to `asked` bytes as steps allow: `bytes` long."""

    recipe: Recipe
    asked: int
    bytes: int


def hold_size(
    model: Model,
    recipe: Recipe,
    layer: str,
    asked: int,
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> SizedRecipe:
    """Return `recipe` with the layers other than `layer` pruned so that its file has `asked` bytes.

    The densities of the others, their shares of weights that are not zero, are multiplied by one
    number, sought on the length of the real file. `layer` keeps its settings, and where
    it has no sparsity of its own, the one that it has in the file of `recipe`. Layers that pruning
    leaves alone stay so.

    Raises
    ------
    RecipeError
        When the others cannot make up for it, or the recipe does not fit the model.
    Cancelled
        As soon as `cancelled()` answers True between two files.

    >>> import workbench as wb
    >>> from workbench.experiments import balance
    >>> recipe = wb.Recipe(wb.Prune(0.8, layers={"fc1.weight": 0.9}), wb.Quantize(4))
    >>> found = balance(wb.model("fashion/lenet-300-100"), recipe, "fc1.weight", 25_000)
    >>> abs(found.bytes - 25_000) < 250
    True
    """
    expect_model(model)
    expect_recipe(recipe)
    if not model.layers:
        raise RecipeError(f"{model.name} has no layers that could make up for each other.")
    if layer not in model.layers:
        raise RecipeError(f"The model has no layer {layer!r}: try {model.layers[0]}.")
    if recipe.train is not None:
        raise RecipeError(
            _("A trained file cannot keep its size: take the training out of the recipe first.")
        )
    others = _others(model, recipe, layer)
    if not others:
        raise RecipeError(
            _("No other layer can make up for it: all are left alone. Take the lock off.")
        )
    held = _held(model, recipe, layer)

    def file(densest: float) -> SizedRecipe:
        if cancelled():
            raise Cancelled("Balancing was stopped.")
        tried = _shared(held, layer, others, densest)
        return SizedRecipe(tried, asked, len(compress(model, tried)))

    found = _nearest(file, asked, max(others.values()) / min(others.values()))
    if abs(found.bytes - asked) > NEAR * asked and _ended(found.recipe, layer, others):
        raise RecipeError(
            _(
                "The file cannot keep its {asked}: the other layers can bring it to {found} and no "
                "nearer. Change {layer} less, or take the lock off."
            ).format(
                asked=formatting.nbytes(asked), found=formatting.nbytes(found.bytes), layer=layer
            )
        )
    return found


def _others(model: Model, recipe: Recipe, layer: str) -> dict[str, float]:
    """Return the densities of the layers that share the rest, as the recipe asks for them."""
    prune = _prune(recipe)
    free = [name for name in model.layers if name != layer and name not in prune.exclude]
    unnamed = 0.0 if prune.scope == "layer" else prune.sparsity
    return {name: 1 - prune.layers.get(name, unnamed) for name in free}


def _held(model: Model, recipe: Recipe, layer: str) -> Recipe:
    """Return `recipe` in which `layer` has the sparsity of its own that it has in the file."""
    prune = _prune(recipe)
    if layer in prune.layers or layer in prune.exclude:
        return recipe
    ready = prepare(model, recipe, calibration_stats(model, recipe))
    axes = model.roles.permuted_axes(ready.weights)
    evidence = stats_to_canonical(ready.stats, axes)
    kept = masks(to_canonical(ready.weights, axes), prune, evidence, model.layers).get(layer)
    lost = 0.0 if kept is None else 1 - float(kept.double().mean())
    rows = {**prune.layers, layer: _on_a_step(lost)}
    return replace(recipe, prune=replace(prune, layers=rows))


def _shared(recipe: Recipe, layer: str, others: dict[str, float], densest: float) -> Recipe:
    """Return `recipe` with the densities of `others` multiplied so that the largest is `densest`.

    None is more than 1: those that are whole before the others stay so.
    """
    prune = _prune(recipe)
    factor = densest / max(others.values())
    sparsities = {name: _on_a_step(1 - density * factor) for name, density in others.items()}
    rows = dict(prune.layers)
    rows |= {name: sparsities[name] for name in others if name in rows or prune.scope == "layer"}
    shared = prune.sparsity
    if prune.scope != "layer":
        shared = _on_a_step(1 - (1 - prune.sparsity) * factor)
    return replace(recipe, prune=replace(prune, sparsity=shared, layers=rows))


def _nearest(file: Callable[[float], SizedRecipe], asked: int, most: float) -> SizedRecipe:
    """Return the file nearest to `asked` bytes of those that `file` makes of numbers to `most`."""
    low, high = round((1 - SPARSITY["high"]) / STEP), ceil(most / STEP)
    largest = file(high * STEP)
    if largest.bytes <= asked:
        return largest
    smallest = file(low * STEP)
    tried = [largest, smallest]
    if smallest.bytes >= asked:
        return smallest
    while high - low > 1 and abs(tried[-1].bytes - asked) > CLOSE * asked:
        share = (asked - smallest.bytes) / (largest.bytes - smallest.bytes)
        # Lengths are nearly in proportion to densities; halves keep it short where they are not.
        guess = low + (round(share * (high - low)) if len(tried) % 2 == 0 else (high - low) // 2)
        middle = min(max(guess, low + 1), high - 1)
        tried.append(file(middle * STEP))
        if tried[-1].bytes <= asked:
            low, smallest = middle, tried[-1]
        else:
            high, largest = middle, tried[-1]
    return min(tried, key=lambda one: abs(one.bytes - asked))


def _ended(recipe: Recipe, layer: str, others: dict[str, float]) -> bool:
    """Whether the others are all as dense or as sparse as they can be."""
    prune = _prune(recipe)
    found = {prune.layers.get(name, prune.sparsity) for name in others}
    return max(found) == 0 or min(found) >= SPARSITY["high"]


def _prune(recipe: Recipe) -> Prune:
    found: Prune = recipe.prune or disabled_part("prune")
    return found


def _on_a_step(sparsity: float) -> float:
    whole = round(min(max(sparsity, 0.0), SPARSITY["high"]) / STEP)
    return round(whole * STEP, 6)
