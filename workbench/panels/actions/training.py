"""Actions of the training section: train, compare temperatures, query the teacher."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.errors import InputError
from workbench.i18n import _
from workbench.panels import training
from workbench.panels.actions.background import progress_bar, run_in_background
from workbench.panels.actions.messages import positive_number
from workbench.panels.actions.registry import action
from workbench.recipe.train import SELF, Train

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def train(view: Dashboard, message: dict[str, Any]) -> None:
    """Train with the current recipe for a number of seconds."""
    view.session.train(*_settings(message))


@action
def sweep(view: Dashboard, message: dict[str, Any]) -> None:
    """Train students at several temperatures within a number of seconds."""
    settings, seconds = _settings(message)
    view.cancelled.clear()
    run_in_background("sweep", _sweep, view, settings, seconds)


@action
def query_teacher(view: Dashboard, message: dict[str, Any]) -> None:
    """Show the teacher's prediction for an example at a temperature."""
    teacher = str(message.get("teacher") or SELF)
    temperature = positive_number(message.get("temperature"))
    example = message.get("example", 0)
    if temperature is None or not isinstance(example, int):
        raise InputError(_("The temperature must be above 0."), code="argument.invalid_temperature")
    query = view.session.teacher_query
    if query is not None and query.teacher == teacher:  # its outputs are cached
        view.session.query_teacher(teacher, temperature, example)
    else:
        run_in_background("teacher", _query_teacher, view, teacher, temperature, example)


def _settings(message: dict[str, Any]) -> tuple[Train, float]:
    values, seconds = message.get("values"), positive_number(message.get("seconds"))
    if not isinstance(values, dict) or seconds is None or seconds > training.MAX_SECONDS:
        raise InputError(
            _("Choose a training time of up to {maximum} seconds.").format(
                maximum=formatting.count(training.MAX_SECONDS)
            ),
            code="argument.invalid_seconds",
        )
    return training.settings(values, os.cpu_count() or 1), seconds


def _sweep(view: Dashboard, settings: Train, seconds: float) -> None:
    with progress_bar(view, _("Training students at several temperatures")) as on_progress:
        view.session.sweep(settings, seconds, view.cancelled.is_set, on_progress)


def _query_teacher(view: Dashboard, teacher: str, temperature: float, example: int) -> None:
    view.session.query_teacher(teacher, temperature, example)
