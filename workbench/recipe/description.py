"""A recipe in a few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench import formatting
from workbench.i18n import _, plural
from workbench.recipe.recipe import Recipe


def describe(recipe: Recipe) -> str:
    """Return the main settings of a recipe, such as "60 % pruned, 4 bits".

    Examples
    --------
    >>> from workbench.recipe import Prune, Quantize
    >>> describe(Recipe(Prune(0.6), Quantize(4))).replace(chr(0x202F), " ")
    '60 % pruned, 4 bits'
    """
    words: list[str] = []
    for key, describe_part in PARTS_IN_SHORT.items():
        part = getattr(recipe, key)
        if part is not None:
            words += describe_part(part)
    return formatting.listed(words) or _("the original")


def _structure(part: Any) -> list[str]:
    return [_("{share} of the channels removed").format(share=formatting.percent(part.removed, 0))]


def _prune(part: Any) -> list[str]:
    text = _("{share} pruned").format(share=formatting.percent(part.sparsity, 0))
    return [f"{text} ({_('by curvature')})" if part.criterion == "curvature" else text]


def _factorize(part: Any) -> list[str]:
    return [_("low rank, {share} kept").format(share=formatting.percent(part.keep, 0))]


def _share(part: Any) -> list[str]:
    return [_("{count} shared values").format(count=part.clusters)]


def _quantize(part: Any) -> list[str]:
    text = plural("{count} bit", "{count} bits", part.bits).format(count=part.bits)
    if part.layers:
        sentence = plural(
            "{bits}, {count} layer with other bits",
            "{bits}, {count} layers with other bits",
            len(part.layers),
        )
        text = sentence.format(bits=text, count=len(part.layers))
    return [f"{text}, {_('compensated rounding')}" if part.rounding == "compensated" else text]


def _activations(part: Any) -> list[str]:
    return [_("{count} bits for activations").format(count=part.bits)]


def _adjust(part: Any) -> list[str]:
    return [_("batch norm measured again")] if part.batch_norm == "recalibrate" else []


def _train(part: Any) -> list[str]:
    if part.start == "scratch":
        return [
            _("distilled into {width} of the width").format(width=formatting.percent(part.width, 0))
        ]
    sentence = plural("{count} step of fine-tuning", "{count} steps of fine-tuning", part.steps)
    return [sentence.format(count=f"{part.steps:,}")]


PARTS_IN_SHORT: dict[str, Callable[[Any], list[str]]] = {
    "structure": _structure,
    "prune": _prune,
    "factorize": _factorize,
    "share": _share,
    "quantize": _quantize,
    "activations": _activations,
    "adjust": _adjust,
    "train": _train,
}
