"""What identifies the file on the screen: its model and its recipe."""

from __future__ import annotations

from hashlib import sha256

from workbench.domain import Model
from workbench.recipe import Recipe


def selected(model: Model, recipe: Recipe) -> str:
    """Return a text that differs for another recipe, and for another model of the same name."""
    return sha256(f"{model.identity} {recipe.digest}".encode()).hexdigest()[:16]
