"""Predefined recipes."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.i18n import Labeled, mark as N_
from workbench.recipe.prune import Prune
from workbench.recipe.quantize import Quantize
from workbench.recipe.recipe import Recipe


@dataclass(frozen=True)
class Preset(Labeled):
    """A recipe with a name, a label and a description."""

    name: str
    label_id: str
    help_id: str
    recipe: Recipe


PRESETS = (
    Preset(
        "int8",
        N_("8 bits"),
        N_("Every weight in 8 bits: a quarter of the size, usually without loss of accuracy."),
        Recipe(quantize=Quantize(bits=8)),
    ),
    Preset(
        "half",
        N_("half pruned"),
        N_("Half of the weights pruned, the rest in 8 bits."),
        Recipe(prune=Prune(sparsity=0.5), quantize=Quantize(bits=8)),
    ),
    Preset(
        "small",
        N_("small"),
        N_("Half of the weights pruned, the rest in 4 bits."),
        Recipe(prune=Prune(sparsity=0.5), quantize=Quantize(bits=4, range="mse")),
    ),
    Preset(
        "tiny",
        N_("tiny"),
        N_("60 % of the weights pruned, the rest in 3 bits: expect a loss of accuracy."),
        Recipe(prune=Prune(sparsity=0.6), quantize=Quantize(bits=3, range="mse")),
    ),
)
