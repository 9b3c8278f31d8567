"""The page: a widget that shows a session, and the servers that show the widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard
    from workbench.recipe import Recipe


def dashboard(model: str = "fashion/lenet5", recipe: Recipe | None = None) -> Dashboard:
    """Return the page as a widget: put it last in a notebook cell to see it.

    Parameters
    ----------
    model
        Name of the model to start with.
    recipe
        What to start from; the untouched model unless said.

    Raises
    ------
    UnknownNameError
        When there is no such model.
    RecipeError
        When the recipe names layers that the model does not have.
    """
    from workbench.panels.page import Dashboard
    from workbench.recipe import Recipe
    from workbench.session import Session

    return Dashboard(Session(model, recipe or Recipe()))
