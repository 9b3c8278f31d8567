"""Training: the recipe, a row of temperatures, and what the teacher thinks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.panels import training
from workbench.panels.actions.background import progress_bar, run_in_background
from workbench.panels.actions.messages import positive_number
from workbench.panels.actions.registry import action
from workbench.recipe.train import SELF, Train

if TYPE_CHECKING:
    from workbench.panels.page import Dashboard


@action
def train(view: Dashboard, asked: dict[str, Any]) -> None:
    """Train the present recipe for some seconds."""
    view.session.train(*_asked_training(asked))


@action
def sweep(view: Dashboard, asked: dict[str, Any]) -> None:
    """Train students at a row of temperatures, for some seconds in all."""
    settings, seconds = _asked_training(asked)
    view.cancelled.clear()
    run_in_background("sweep", _sweep, view, settings, seconds)


@action
def soften(view: Dashboard, asked: dict[str, Any]) -> None:
    """Show what the teacher thinks of an example at a temperature."""
    teacher, temperature = (
        str(asked.get("teacher") or SELF),
        positive_number(asked.get("temperature")),
    )
    example = asked.get("example", 0)
    if temperature is None or not isinstance(example, int):
        raise WorkbenchError(_("The temperature must be above 0."))
    known = view.session.teacher_query
    if known is not None and known.teacher == teacher:  # at once: the outputs are there
        view.session.query_teacher(teacher, temperature, example)
    else:
        run_in_background("teacher", _ask, view, teacher, temperature, example)


def _asked_training(asked: dict[str, Any]) -> tuple[Train, float]:
    values, seconds = asked.get("values"), positive_number(asked.get("seconds"))
    if not isinstance(values, dict) or seconds is None or seconds > training.MAX_SECONDS:
        most = formatting.count(training.MAX_SECONDS)
        raise WorkbenchError(_("Choose how long to train, up to {most} seconds.").format(most=most))
    return training.settings(values, os.cpu_count() or 1), seconds


def _sweep(view: Dashboard, settings: Train, seconds: float) -> None:
    with progress_bar(view, _("Training students at a row of temperatures")) as show:
        view.session.sweep(settings, seconds, view.cancelled.is_set, show)


def _ask(view: Dashboard, teacher: str, temperature: float, example: int) -> None:
    view.session.query_teacher(teacher, temperature, example)
