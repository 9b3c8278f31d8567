"""Actions of the training section: train, compare temperatures, query the teacher."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.cancel import CancelToken
from workbench.errors import InputError
from workbench.i18n import _
from workbench.panels import training
from workbench.panels.actions.background import progress_bar, run_in_background, run_job
from workbench.panels.actions.messages import positive_number
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.views.activity import repeated_steps
from workbench.recipe import Recipe, Train
from workbench.recipe.train import SELF

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep


@action
def train(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train with the current recipe for a number of seconds or steps."""
    dashboard.session.train(*_settings(message, dashboard.session.recipe))


@action
def resume(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Continue the training of the current recipe after it was stopped."""
    dashboard.session.measure_again()


@action
def train_again(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train the current recipe with one setting changed: a name in `training.CHANGES`."""
    session = dashboard.session
    change = training.CHANGES.get(str(message.get("change")))
    if session.recipe.train is not None and change is not None:
        session.train(change(session.recipe.train))


@action
def repeat_training(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train the current recipe as the one before the last changes was trained."""
    settings = dashboard.session.lost_training
    if settings is not None:
        dashboard.session.train(settings)


@action
def drop_training(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Select the current recipe without its training."""
    dashboard.session.set(dashboard.session.recipe.untrained)


@action
def sweep(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train students at several temperatures for a number of seconds or steps."""
    settings, seconds = _settings(message, Recipe())  # students are not compressed
    run_job("sweep", _sweep, dashboard, settings, seconds)


@action
def repeat_student(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Train the selected student again and compare it with the shipped one."""
    run_job("student", _repeat_student, dashboard)


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


def _settings(message: dict[str, Any], recipe: Recipe) -> tuple[Train, float | None]:
    """Return the settings, and the seconds unless the length is a number of steps."""
    values = message.get("values")
    name = "steps" if "steps" in message else "seconds"
    amount = positive_number(message.get(name))
    most = training.LENGTHS[name][-1]
    is_length = amount is not None and amount <= most and (name == "seconds" or amount % 1 == 0)
    if not isinstance(values, dict) or not is_length:
        text = {
            "seconds": _("Choose a training time of up to {maximum} seconds."),
            "steps": _("Choose a whole number of up to {maximum} steps."),
        }[name]
        raise InputError(
            text.format(maximum=formatting.count(most)), code=f"argument.invalid_{name}"
        )
    assert amount is not None
    threads = os.cpu_count() or 1
    if name == "steps":
        return training.settings(values, recipe, threads, int(amount)), None
    return training.settings(values, recipe, threads), amount


def _sweep(
    dashboard: Dashboard, cancel: CancelToken, settings: Train, seconds: float | None
) -> None:
    text = _("Training students at several temperatures")
    with progress_bar(dashboard, "sweep", text) as on_progress:
        dashboard.session.sweep(settings, seconds, cancel, on_progress)


def _repeat_student(dashboard: Dashboard, cancel: CancelToken) -> None:
    input_type = dashboard.session.model.task.input_type
    with progress_bar(dashboard, "student", repeated_steps(None, input_type)) as on_progress:

        def on_step(step: TrainingStep) -> None:
            on_progress(step.step / step.steps, repeated_steps(step, input_type))

        dashboard.session.repeat_student(cancel, on_step)


def _query_teacher(dashboard: Dashboard, teacher: str, temperature: float, example: int) -> None:
    dashboard.session.query_teacher(teacher, temperature, example)
