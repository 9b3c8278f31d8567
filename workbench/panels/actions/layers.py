"""Actions on single layers: sensitivity, settings, and keeping the file size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.cancel import CancelToken
from workbench.errors import Cancelled, InputError, WorkbenchError
from workbench.i18n import _
from workbench.panels import controls, distillation
from workbench.panels.actions.background import progress_bar, run_in_background, run_job
from workbench.panels.actions.messages import positive_number
from workbench.panels.actions.registry import Dashboard, action
from workbench.recipe.off import BY_LAYER, with_layers

if TYPE_CHECKING:
    from workbench.recipe import Recipe


@action
def scan(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Measure the sensitivity of each layer to a part of the recipe."""
    run_job("scan", _scan, dashboard, str(message.get("part")))


@action
def hold_size(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Keep the current file size while layers change, or stop keeping it."""
    report = dashboard.session.report
    if message.get("on") is not True:
        dashboard.session.hold_size(None)
    elif report is not None and report.recipe == dashboard.session.recipe:
        dashboard.session.hold_size(report.size.bytes)
    else:
        dashboard.reset_controls()
        raise WorkbenchError(
            _("The file is being created: try again in a moment."), code="session.not_ready"
        )


@action
def layer_values(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Apply the values of the controls after a change of one layer."""
    values, _student = distillation.split(message.get("values") or {})
    _change(dashboard, controls.recipe(values), str(message.get("layer")))


@action
def set_row(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Change one setting of one layer."""
    part, name = str(message.get("part")), str(message.get("layer"))
    setting = positive_number(message.get("setting"))
    if part not in BY_LAYER or name not in dashboard.session.layers or setting is None:
        raise InputError(
            _("There is no such layer or setting."), code="argument.invalid_layer_setting"
        )
    coupled = dashboard.session.model.coupled_layers(name, part)
    _change(dashboard, with_layers(dashboard.session.recipe, part, coupled, setting), name)


def _scan(dashboard: Dashboard, cancel: CancelToken, part: str) -> None:
    text = _("Measuring the sensitivity of each layer")
    with progress_bar(dashboard, "scan", text) as on_progress:
        dashboard.session.scan(part, cancel, on_progress)


def _change(dashboard: Dashboard, recipe: Recipe, name: str) -> None:
    """Select a recipe in which one layer has changed; adjusting the other layers takes time."""
    run_in_background("layer", _change_layer, dashboard, recipe, name)


def _change_layer(dashboard: Dashboard, recipe: Recipe, name: str) -> None:
    try:
        dashboard.session.change_layer(recipe, name)
    except Cancelled:
        raise
    except WorkbenchError:
        dashboard.reset_controls()
        raise
