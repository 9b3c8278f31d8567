"""What is known of the present recipe and of those visited before."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from workbench import formatting
from workbench.domain import Model
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.recipe import Recipe
from workbench.session.records import Selection, TrainingProgress, Visit

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep as TrainingMoment


class Results:
    """What measuring and training have found: plain data, changed under the session's lock.

    `report` is what is known of the present recipe, `plain` the exact report of its plain version
    and `calibrated` the share known of what it rests on. `busy` is whether more is on its way,
    `stale` whether the report is of another recipe, `error` why nothing more came; `training` is
    the course of the present training and `broken_off` a sentence about one that was left.
    """

    def __init__(self) -> None:
        self.report: Report | None = None
        self.plain: Report | None = None
        self.calibration_progress: float | None = None
        self.training: TrainingProgress | None = None
        self.error: str | None = None
        self.interruption: str | None = None
        self.busy = False
        self.stale = False
        self._courses: dict[Selection, TrainingProgress] = {}
        self._visits: dict[str, OrderedDict[Recipe, Visit]] = {}
        self._met: dict[str, tuple[str, ...]] = {}

    def register_model(self, model: Model) -> None:
        """Forget what is known of another model that had the name of `model` before."""
        before = self._met.get(model.name)
        if before is not None and before != model.identity:
            self._visits.pop(model.name, None)
            courses = self._courses.items()
            self._courses = {now: course for now, course in courses if now.model != model.name}
        self._met[model.name] = model.identity

    def visited(self, model: str) -> tuple[Visit, ...]:
        """Return the recipes measured exactly for `model`, in the order of their first visit."""
        return tuple(self._visits.get(model, {}).values())

    def settled(self, recipe: Recipe) -> bool:
        """Return whether the report is that of `recipe`, exact, and the last to come."""
        report = self.report
        current = report is not None and report.recipe == recipe and report.exact
        return current and not self.busy and not self.stale

    def untrained(self, recipe: Recipe) -> bool:
        """Return whether `recipe` asks for a training of which no file is known."""
        made = self.report is not None and self.report.recipe == recipe
        return recipe.train is not None and not made

    def interruption_message(self, now: Selection) -> str | None:
        """Return a sentence where leaving `now` breaks its training off."""
        course = self.training
        if self.busy and now.seconds is not None:
            return _("Training was stopped before its first step: undo to begin it again.")
        if not self.busy or course is None or course.step >= course.steps:
            return None
        return _("Training stopped at step {step} of {steps}: undo to return to it.").format(
            step=formatting.count(course.step), steps=formatting.count(course.steps)
        )

    def enter(self, moment: Selection) -> None:
        """Take up the course of `moment`, and forget what went wrong before."""
        self.training = self._courses.get(moment)
        self.error = None
        self.interruption = None

    def take(self, found: Report) -> None:
        """Show a report, and note the visit where it is exact and of the recipe itself."""
        self.report = found
        if found.score is not None and found.exact and found.preview_of is None:
            visits = self._visits.setdefault(found.model, OrderedDict())
            visits[found.recipe] = Visit(found.recipe, found.size.bytes, found.score.value)

    def follow(self, now: Selection, moment: TrainingMoment) -> None:
        """Add a moment to the course of training, which is kept for `now` once it is over."""
        before = self.training
        curve = before.curve if before is not None else ()
        course = TrainingProgress(
            step=moment.step,
            steps=moment.steps,
            seconds_left=moment.seconds_left,
            examples_per_second=moment.examples_per_second,
            curve=(*curve, (moment.step, moment.loss, moment.value)),
        )
        self.training = course
        if moment.over:
            self._courses[now] = course

    def stop(self, recipe: Recipe) -> None:
        """Keep the last figures, marked stale unless they are the exact ones of `recipe`."""
        self.busy = False
        shown = self.report
        whole = shown is not None and shown.exact and shown.recipe == recipe
        self.stale = shown is not None and not whole

    def fail(self, sentence: str) -> None:
        """Say why nothing more comes; the last figures stay, stale."""
        self.busy = False
        self.error = sentence
        self.stale = self.report is not None
