"""The recipes for each module of the table: half of all parts, in turn, with rotating settings."""

from __future__ import annotations

import workbench as wb

CRITERIA = ("magnitude", "gradient", "curvature", "random")
PATTERNS = ({"pattern": "free"}, {"pattern": "n_m", "width": 4}, {"pattern": "block", "width": 2})
SCOPES = ("global", "adaptive", "uniform")
CHANNELS = ("group_norm", "magnitude", "gradient", "curvature", "random")
MEASURES = ("energy", "bytes", "rank", "number")
AIMS = ("weights", "outputs")
SHARING = ("k_means", "ternary", "binary")
STARTS = ("linear", "density", "random")
ROUNDINGS = ("nearest", "compensated")
GRANULARITIES = ("tensor", "channel", "group")
BITS = (4, 8, 3, 16, 2)
SCHEMES = ("symmetric", "affine")
RANGES = ("minmax", "percentile", "mse")
OBSERVERS = ("minmax", "percentile", "histogram")
OPTIMIZERS = ("adamw", "sgd", "momentum")

ALWAYS = ("as it is", "trained small", "much")
"""Recipes for every module."""


def turn(choices, number):
    """Return the choice for a number, in rotation."""
    return choices[number % len(choices)]


def short(number: int, **settings) -> wb.Train:
    """Return two steps of training."""
    defaults = {"batch": 12, "threads": 1, "learning_rate": 0.003}
    return wb.Train(steps=2, optimizer=turn(OPTIMIZERS, number), **{**defaults, **settings})


def rounded(number: int, rounding: str) -> wb.Quantize:
    """Return a quantization with a rounding method."""
    return wb.Quantize(
        turn(BITS, number),
        rounding=rounding,
        granularity=turn(GRANULARITIES, number),
        group_size=8,
        scheme=turn(SCHEMES, number),
        range=turn(RANGES, number // 3),
    )


def pruned(number: int, pattern: int) -> wb.Prune:
    """Return a pruning with a pattern; eight modules cover every criterion."""
    criterion = turn(CRITERIA, number // 2 + pattern)
    return wb.Prune(0.5, criterion, turn(SCOPES, number // 8), **PATTERNS[pattern])


def recipes(number: int, task: str) -> dict[str, wb.Recipe]:
    """Return the recipes for the module of a number, by a descriptive name.

    Recipes of one part are every second one of all; the others are always among them.
    """
    recipes = _all_recipes(number, task)
    single = [title for title in recipes if title not in ALWAYS]
    return {title: recipes[title] for title in (*single[number % 2 :: 2], *ALWAYS)}


def _all_recipes(number: int, task: str) -> dict[str, wb.Recipe]:
    recipe = wb.Recipe
    teacher = {"teacher": "self"} if task == "classes" else {}
    share = wb.Share(
        8,
        turn(SHARING, number),
        turn(STARTS, number),
        granularity=turn(("tensor", "channel"), number),
    )
    low_rank = wb.Factorize(0.6, turn(MEASURES, number), turn(AIMS, number), rank=2)
    narrow = wb.Structure(0.4, turn(CHANNELS, number), turn(("uniform", "global"), number // 5))
    inputs = wb.Activations(8, turn(OBSERVERS, number))
    free, patterned = pruned(number, 0), pruned(number, 1 + number % 2)
    return {
        "as it is": recipe(),
        "channels": recipe(structure=narrow),
        "zeros": recipe(free),
        "zeros in a pattern": recipe(patterned),
        "low rank": recipe(factorize=low_rank),
        "shared values": recipe(share=share),
        **{
            f"{rounding} rounding": recipe(quantize=rounded(number, rounding))
            for rounding in ROUNDINGS
        },
        "rounded inputs": recipe(quantize=wb.Quantize(8), activations=inputs),
        "folded": recipe(adjust=wb.Adjust("fold")),
        "evened out": recipe(adjust=wb.Adjust("keep", equalize="pairs")),
        "measured again": recipe(
            free, wb.Quantize(4), adjust=wb.Adjust("recalibrate", biases="correct")
        ),
        "trained": recipe(train=short(number)),
        "trained small": recipe(
            patterned, wb.Quantize(4, rounding="nearest"), short(number, **teacher)
        ),
        "much": recipe(
            free,
            rounded(number + 1, "compensated"),
            structure=narrow,
            activations=wb.Activations(turn((4, 8), number), turn(OBSERVERS, number + 1)),
            adjust=wb.Adjust("fold", biases="correct", equalize="pairs"),
        ),
    }
