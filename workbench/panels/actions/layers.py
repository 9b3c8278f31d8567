"""Actions on single layers: sensitivity, settings, and keeping the file size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import Cancelled, InputError, WorkbenchError
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
def scan(view: Dashboard, message: dict[str, Any]) -> None:
    """Measure the sensitivity of each layer to a part of the recipe."""
    view.cancelled.clear()
    part = str(message.get("part"))
    run_in_background("scan", _scan, view, part)


@action
def hold_size(view: Dashboard, message: dict[str, Any]) -> None:
    """Keep the current file size while layers change, or stop keeping it."""
    report = view.session.report
    if message.get("on") is not True:
        view.session.hold_size(None)
    elif report is not None and report.recipe == view.session.recipe:
        view.session.hold_size(report.size.bytes)
    else:
        view.reset_controls()
        raise WorkbenchError(
            _("The file is being created: try again in a moment."), code="session.not_ready"
        )


@action
def layer_values(view: Dashboard, message: dict[str, Any]) -> None:
    """Apply the values of the controls after a change of one layer."""
    _change(view, controls.recipe(message.get("values") or {}), str(message.get("layer")))


@action
def set_row(view: Dashboard, message: dict[str, Any]) -> None:
    """Change one setting of one layer."""
    part, name = str(message.get("part")), str(message.get("layer"))
    setting = positive_number(message.get("setting"))
    if part not in BY_LAYER or name not in view.session.layers or setting is None:
        raise InputError(
            _("There is no such layer or setting."), code="argument.invalid_layer_setting"
        )
    coupled = view.session.model.coupled_layers(name, part)
    _change(view, with_layers(view.session.recipe, part, coupled, setting), name)


def _scan(view: Dashboard, part: str) -> None:
    with progress_bar(view, _("Measuring the sensitivity of each layer")) as on_progress:
        view.session.scan(part, view.cancelled.is_set, on_progress)


def _change(view: Dashboard, recipe: Recipe, name: str) -> None:
    """Select a recipe in which one layer has changed; adjusting the other layers takes time."""
    run_in_background("layer", _change_layer, view, recipe, name)


def _change_layer(view: Dashboard, recipe: Recipe, name: str) -> None:
    try:
        view.session.change_layer(recipe, name)
    except Cancelled:
        raise
    except WorkbenchError:
        view.reset_controls()
        raise
