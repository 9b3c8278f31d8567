"""Named recipes to start from."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.i18n import _
from workbench.i18n import mark as N_
from workbench.recipe.prune import Prune
from workbench.recipe.quantize import Quantize
from workbench.recipe.recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A recipe with a name and a sentence about it."""

    name: str
    label_id: str
    help_id: str
    recipe: Recipe

    @property
    def label(self) -> str:
        """The short name a person reads."""
        return _(self.label_id)

    @property
    def help(self) -> str:
        """One sentence of explanation."""
        return _(self.help_id)


PRESETS = (
    Preset(
        "int8",
        N_("8 bits"),
        N_("Every weight in 8 bits: a quarter of the size, usually for free."),
        Recipe(quantize=Quantize(bits=8)),
    ),
    Preset(
        "half",
        N_("half pruned"),
        N_("Half of the weights gone, the rest in 8 bits."),
        Recipe(prune=Prune(sparsity=0.5), quantize=Quantize(bits=8)),
    ),
    Preset(
        "small",
        N_("small"),
        N_("Four weights in five gone, the rest in 4 bits."),
        Recipe(prune=Prune(sparsity=0.8), quantize=Quantize(bits=4, range="mse")),
    ),
    Preset(
        "tiny",
        N_("tiny"),
        N_("Nine weights in ten gone, the rest in 3 bits: see what breaks."),
        Recipe(prune=Prune(sparsity=0.9), quantize=Quantize(bits=3, range="mse")),
    ),
)
