"""The error for a name in a recipe that is no layer of the model, with the names that are meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

from workbench.errors import RecipeError
from workbench.recipe.name_patterns import is_pattern

MOST_SUGGESTED = 3


def unknown_layer(
    where: str, name: str, layers: Sequence[str], others: Collection[str]
) -> RecipeError:
    """Return the error for a name or pattern that is or matches none of `layers`.

    Parameters
    ----------
    where
        The field that has it, such as ``prune.exclude``.
    others
        The tensors of the model that are not compressed.
    """
    if is_pattern(name):
        fact = f"{where} has the pattern {name!r}, which matches no layer of this model"
    elif name in others:
        fact = f"{where} names {name!r}, which is not compressed anyway"
    elif _inside(name, layers):
        fact = f"{where} names {name!r}, which is a module and not one of its tensors"
    elif _inside(name, others):
        fact = f"{where} names {name!r}, a module whose tensors are not compressed anyway"
    else:
        fact = f"{where} names {name!r}, which this model does not have"
    names = suggested(name, layers)
    advice = f"try {', '.join(names)}" if names else "remove it, as no layer can be compressed"
    return RecipeError(f"{fact}: {advice}.", code="recipe.unknown_layer")


def suggested(name: str, layers: Sequence[str]) -> list[str]:
    """Return the layers that an unknown name most likely means, or a pattern for all of a module.

    The name of a module means its weight, or all layers inside it. A name without the modules
    around it means the layers that end with it. Otherwise the most similar names are meant.
    """
    if is_pattern(name):
        close = get_close_matches(name.strip("*"), layers, MOST_SUGGESTED)
        return close or list(layers[:MOST_SUGGESTED])
    if f"{name}.weight" in layers:
        return [f"{name}.weight"]
    if inside := _inside(name, layers):
        return inside if len(inside) == 1 else [f"{name}.*"]
    ends = (f".{name}", f".{name}.weight")
    if same := [layer for layer in layers if layer.endswith(ends)]:
        return same[:MOST_SUGGESTED]
    module = name.rpartition(".")[0]
    if f"{module}.weight" in layers and name.endswith(".bias"):
        return [f"{module}.weight"]
    return get_close_matches(name, layers, 1) or list(layers[:MOST_SUGGESTED])


def _inside(module: str, tensors: Iterable[str]) -> list[str]:
    return [tensor for tensor in tensors if tensor.startswith(f"{module}.")]
