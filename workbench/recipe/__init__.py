"""Recipes: plain data, readable without torch."""

from workbench.recipe.factorize import Factorize
from workbench.recipe.prune import Prune
from workbench.recipe.quantize import Quantize
from workbench.recipe.recipe import PARTS, Recipe
from workbench.recipe.share import Share
from workbench.recipe.train import Train

__all__ = ["PARTS", "Factorize", "Prune", "Quantize", "Recipe", "Share", "Train"]
