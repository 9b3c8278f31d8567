"""The dashboard: a widget that shows one session, with its JavaScript and style sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.panels.widget import SessionWidget
    from workbench.recipe import Recipe


def dashboard(model: str = "fashion/lenet5", recipe: Recipe | None = None) -> SessionWidget:
    """Return the app as a widget; the last expression of a notebook cell displays it.

    Parameters
    ----------
    model
        Name of the initial model.
    recipe
        Initial recipe; by default the model is not compressed.

    Raises
    ------
    UnknownNameError
        If there is no model of that name.
    RecipeError
        If the recipe names layers that the model does not have.
    """
    from workbench.panels.widget import SessionWidget
    from workbench.recipe import Recipe
    from workbench.session import Session

    return SessionWidget(Session(model, recipe or Recipe(), postpone=True), owns_session=True)
