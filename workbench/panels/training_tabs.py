"""The contents of the tabs of the Train page. Each names the work that is running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _, plural
from workbench.panels.buttons import choice
from workbench.panels.views.activity import activity
from workbench.plots import course, points, teacher, temperature
from workbench.plots.palette import Palette
from workbench.recipe.train import SELF
from workbench.session import Session

if TYPE_CHECKING:
    from workbench.experiments.sweep import StudentResult

FIRST_TEMPERATURE = 4.0
"""The temperature at which a teacher is first asked."""


def training_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the course of the current or last training run."""
    progress, line = session.training, activity(session, "training")
    if progress is None:
        if line is not None:
            return {"activity": line, "note": ""}
        note = _(
            "Nothing is trained yet. Choose what to do, and press the button: this picture then "
            "shows the accuracy of the file at every step."
        )
        return {"activity": None, "note": note}
    views = [(False, _("{metric} of the file")), (True, _("training loss"))]
    metric = session.model.task.metric
    labels = [(value, text.format(metric=metric.label)) for value, text in views]
    loss, original = session.focus.loss, points.original(session.model).value
    name = None if session.student is None else _("the uncompressed student")
    return {
        "activity": line,
        "controls": [choice("loss", _("curve"), loss, labels)],
        "figure": course.draw(
            progress, palette, metric, original=original, original_name=name, loss=loss
        ),
        "foot": "" if loss else course.note(progress, metric),
    }


def teacher_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the teacher's prediction for one example at the selected temperature."""
    query, line = session.teacher_query, activity(session, "teacher")
    if query is None or query.prediction is None:
        note = _(
            "How sure is the teacher? Its class probabilities for an example, softened by the "
            "temperature, are what a student learns."
        )
        ask = {"act": "query_teacher", "text": _("show an example"), "teacher": SELF}
        return {
            "activity": line,
            "note": note,
            "buttons": [{**ask, "temperature": FIRST_TEMPERATURE, "example": 0}],
        }
    prediction, classes = query.prediction, [_(name) for name in session.model.task.classes]
    figure = teacher.draw(prediction.outputs, classes, prediction.label, query.temperature, palette)
    following = {"act": "query_teacher", "text": _("next example"), "teacher": query.teacher}
    return {
        "activity": line,
        "figure": teacher.with_example(figure, prediction.content),
        "buttons": [{**following, "temperature": query.temperature, "example": query.example + 1}],
    }


def sweep_tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the results of students at several temperatures, as far as they are measured."""
    sweep, line = session.sweep_result, activity(session, "temperature")
    if sweep is None:
        idle = _(
            "Does the temperature matter? Choose \u201cDistill\u201d, then press \u201cCompare "
            "temperatures\u201d: students are trained at five temperatures and on labels only."
        )
        return {"activity": line, "note": "" if session.sweep_progress else idle}
    return {
        "activity": line,
        "figure": temperature.draw(
            sweep.levels, palette, metric=sweep.metric, examples=sweep.examples
        ),
        "foot": _students(sweep.outcomes),
    }


def _students(outcomes: Sequence[StudentResult]) -> str:
    """Return how many steps each student was trained: after few of them, all are alike."""
    train = outcomes[0].recipe.train if outcomes else None
    if train is None:
        return ""
    return plural(
        "Each student was trained for {count} step, from the same start as the others.",
        "Each student was trained for {count} steps, from the same start as the others.",
        train.steps,
    ).format(count=formatting.count(train.steps))
