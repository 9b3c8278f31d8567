"""Actions of the training section: train, compare temperatures, query the teacher."""

from __future__ import annotations

import os
from typing import Any

from workbench import formatting
from workbench.cancel import CancelToken
from workbench.errors import InputError
from workbench.i18n import _
from workbench.panels import training
from workbench.panels.actions.background import progress_bar, run_in_background
from workbench.panels.actions.messages import positive_number
from workbench.panels.actions.registry import Dashboard, action
from workbench.recipe import Recipe, Train
from workbench.recipe.train import SELF


@action
def train(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train with the current recipe for a number of seconds."""
    dashboard.session.train(*_settings(message, dashboard.session.recipe))


@action
def resume(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Continue the training of the current recipe after it was stopped."""
    dashboard.session.measure_again()


@action
def sweep(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train students at several temperatures within a number of seconds."""
    settings, seconds = _settings(message, Recipe())  # students are not compressed
    dashboard.cancel = CancelToken()
    run_in_background("sweep", _sweep, dashboard, settings, seconds)


@action
def repeat_student(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train the selected student again and compare it with the shipped one."""
    dashboard.cancel = CancelToken()
    run_in_background("student", _repeat_student, dashboard)


@action
def query_teacher(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Show the teacher's prediction for an example at a temperature."""
    teacher = str(message.get("teacher") or SELF)
    temperature = positive_number(message.get("temperature"))
    example = message.get("example", 0)
    if temperature is None or not isinstance(example, int):
        raise InputError(_("The temperature must be above 0."), code="argument.invalid_temperature")
    query = dashboard.session.teacher_query
    if query is not None and query.teacher == teacher:  # its outputs are cached
        dashboard.session.query_teacher(teacher, temperature, example)
    else:
        run_in_background("teacher", _query_teacher, dashboard, teacher, temperature, example)


def _settings(message: dict[str, Any], recipe: Recipe) -> tuple[Train, float]:
    values, seconds = message.get("values"), positive_number(message.get("seconds"))
    if not isinstance(values, dict) or seconds is None or seconds > training.MAX_SECONDS:
        raise InputError(
            _("Choose a training time of up to {maximum} seconds.").format(
                maximum=formatting.count(training.MAX_SECONDS)
            ),
            code="argument.invalid_seconds",
        )
    return training.settings(values, recipe, os.cpu_count() or 1), seconds


def _sweep(dashboard: Dashboard, settings: Train, seconds: float) -> None:
    with progress_bar(dashboard, _("Training students at several temperatures")) as on_progress:
        dashboard.session.sweep(settings, seconds, dashboard.cancel, on_progress)


def _repeat_student(dashboard: Dashboard) -> None:
    with progress_bar(dashboard, _("Training the student")) as on_progress:
        dashboard.session.repeat_student(dashboard.cancel, on_progress)


def _query_teacher(dashboard: Dashboard, teacher: str, temperature: float, example: int) -> None:
    dashboard.session.query_teacher(teacher, temperature, example)
