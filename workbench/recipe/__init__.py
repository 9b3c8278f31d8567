"""Recipes: plain data, readable without torch."""

from workbench.recipe.prune import Prune
from workbench.recipe.quantize import Quantize
from workbench.recipe.recipe import PARTS, Recipe

__all__ = ["PARTS", "Prune", "Quantize", "Recipe"]
