"""The names of files that are saved: which model they are of, and which recipe."""

from __future__ import annotations

from workbench.recipe import Recipe

DIGITS = 6
"""Of a recipe's digest in a name."""


def file_stem(model: str, recipe: Recipe) -> str:
    """Return a name without an ending, such as ``fashion-lenet5-prune-0.6-quantize-4-1f0c``.

    It says the first setting of each part, and differs where recipes differ.
    """
    names = [model.replace("/", "-")]
    for part, settings in recipe.as_dict().items():
        first = next(iter(settings))
        names.append(f"{part}-{settings[first]}")
    if len(names) > 1:
        names.append(recipe.digest[:DIGITS])
    return "-".join(names)
