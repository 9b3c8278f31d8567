"""Single layers: what each bears, what one is set to, and a file that keeps its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _
from workbench.panels import controls
from workbench.panels.actions.background import progress_bar, run_in_background
from workbench.panels.actions.messages import positive_number
from workbench.panels.actions.registry import action
from workbench.recipe.off import BY_LAYER, with_layers

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard
    from workbench.recipe import Recipe


@action
def scan(view: Dashboard, asked: dict[str, Any]) -> None:
    """Find out what each layer alone bears of a part of the recipe."""
    view.cancelled.clear()
    part = str(asked.get("part"))
    run_in_background("scan", _scan, view, part)


@action
def hold(view: Dashboard, asked: dict[str, Any]) -> None:
    """Keep the file's size while layers change, or let go of it."""
    report = view.session.report
    if asked.get("on") is not True:
        view.session.hold_size(None)
    elif report is not None and report.recipe == view.session.recipe:
        view.session.hold_size(report.size.bytes)
    else:
        view.correct()
        raise WorkbenchError(_("The file is being made: try again in a moment."))


@action
def layer(view: Dashboard, asked: dict[str, Any]) -> None:
    """Take the controls' values, in which one layer has changed."""
    _change(view, controls.recipe(asked.get("values") or {}), str(asked.get("layer")))


@action
def set_row(view: Dashboard, asked: dict[str, Any]) -> None:
    """Give one layer one setting."""
    part, name = str(asked.get("part")), str(asked.get("layer"))
    setting = positive_number(asked.get("setting"))
    if part not in BY_LAYER or name not in view.session.layers or setting is None:
        raise WorkbenchError(_("There is no such layer or setting."))
    together = view.session.model.coupled_layers(name, part)
    _change(view, with_layers(view.session.recipe, part, together, setting), name)


def _scan(view: Dashboard, part: str) -> None:
    with progress_bar(view, _("Trying every layer by itself")) as show:
        view.session.scan(part, view.cancelled.is_set, show)


def _change(view: Dashboard, recipe: Recipe, name: str) -> None:
    """Choose a recipe in which a layer has changed: in the background, for it may take a moment."""
    run_in_background("layer", _change_layer, view, recipe, name)


def _change_layer(view: Dashboard, recipe: Recipe, name: str) -> None:
    try:
        view.session.change_layer(recipe, name)
    except Cancelled:
        raise
    except WorkbenchError:
        view.correct()
        raise
