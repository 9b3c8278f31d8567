"""An identifier of the file on the screen, from its model and its recipe."""

from __future__ import annotations

from hashlib import sha256

from workbench.domain import Model
from workbench.recipe import Recipe


def selected(model: Model, recipe: Recipe) -> str:
    """Return a text that identifies the recipe and the model, even among models of one name."""
    return sha256(f"{model.identity} {recipe.digest}".encode()).hexdigest()[:16]
