"""Recipes: plain data, readable without torch."""

from workbench.recipe.activations import Activations
from workbench.recipe.adjust import Adjust
from workbench.recipe.factorize import Factorize
from workbench.recipe.prune import Prune
from workbench.recipe.quantize import Quantize
from workbench.recipe.recipe import PARTS, Recipe
from workbench.recipe.share import Share
from workbench.recipe.structure import Structure
from workbench.recipe.train import Train

__all__ = [
    "PARTS",
    "Activations",
    "Adjust",
    "Factorize",
    "Prune",
    "Quantize",
    "Recipe",
    "Share",
    "Structure",
    "Train",
]
