"""Results for the current recipe and for those visited before."""

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
    from workbench.training.types import TrainingStep


class Results:
    """Results of measuring and training: plain data, changed under the session's lock.

    Attributes
    ----------
    report : Report or None
        The newest report of the current recipe.
    baseline : Report or None
        The exact report of the recipe's baseline.
    calibration_progress : float or None
        The fraction of the calibration statistics that are computed, while it is under way.
    training : TrainingProgress or None
        Progress of the current recipe's training.
    interruption : str or None
        A sentence about a training run that the last change stopped.
    error : str or None
        Why measuring failed.
    busy : bool
        Whether more results will come.
    stale : bool
        Whether the report belongs to an earlier recipe and no newer one will come.
    """

    def __init__(self) -> None:
        self.report: Report | None = None
        self.baseline: Report | None = None
        self.calibration_progress: float | None = None
        self.training: TrainingProgress | None = None
        self.error: str | None = None
        self.interruption: str | None = None
        self.busy = False
        self.stale = False
        self._trainings: dict[Selection, TrainingProgress] = {}
        self._visits: dict[str, OrderedDict[Recipe, Visit]] = {}
        self._identities: dict[str, tuple[str, ...]] = {}

    def register_model(self, model: Model) -> None:
        """Note `model`, and drop the results of an earlier model with its name."""
        before = self._identities.get(model.name)
        if before is not None and before != model.identity:
            self._visits.pop(model.name, None)
            trainings = self._trainings.items()
            self._trainings = {s: progress for s, progress in trainings if s.model != model.name}
        self._identities[model.name] = model.identity

    def visited(self, model: str) -> tuple[Visit, ...]:
        """Return the recipes with exact results for `model`, in the order of the first visit."""
        return tuple(self._visits.get(model, {}).values())

    def settled(self, recipe: Recipe) -> bool:
        """Return whether the report is the exact and final one of `recipe`."""
        report = self.report
        current = report is not None and report.recipe == recipe and report.exact
        return current and not self.busy and not self.stale

    def untrained(self, recipe: Recipe) -> bool:
        """Return whether `recipe` trains and its training has not finished."""
        measured = self.report is not None and self.report.recipe == recipe
        return recipe.train is not None and not measured

    def interruption_message(self, current: Selection) -> str | None:
        """Return a sentence if leaving `current` interrupts its training, else None."""
        training = self.training
        if self.busy and current.seconds is not None:
            return _("Training was stopped before its first step: undo to restart it.")
        if not self.busy or training is None or training.step >= training.steps:
            return None
        return _("Training stopped at step {step} of {steps}: undo to resume it.").format(
            step=formatting.count(training.step), steps=formatting.count(training.steps)
        )

    def enter(self, selection: Selection) -> None:
        """Restore the training progress of `selection` and clear the last error."""
        self.training = self._trainings.get(selection)
        self.error = None
        self.interruption = None

    def add_report(self, report: Report) -> None:
        """Show `report`, and record a visit if it is exact and of the recipe itself."""
        self.report = report
        if report.score is not None and report.exact and report.preview_of is None:
            visits = self._visits.setdefault(report.model, OrderedDict())
            visits[report.recipe] = Visit(report.recipe, report.size.bytes, report.score.value)

    def add_step(self, current: Selection, step: TrainingStep) -> None:
        """Append a step to the training progress; a finished run is stored for `current`."""
        before = self.training
        curve = before.curve if before is not None else ()
        self.training = TrainingProgress(
            step=step.step,
            steps=step.steps,
            seconds_left=step.seconds_left,
            examples_per_second=step.examples_per_second,
            curve=(*curve, (step.step, step.loss, step.value)),
        )
        if step.over:
            self._trainings[current] = self.training

    def stop(self, recipe: Recipe) -> None:
        """Keep the last results; they are stale unless they are the exact ones of `recipe`."""
        self.busy = False
        report = self.report
        final = report is not None and report.exact and report.recipe == recipe
        self.stale = report is not None and not final

    def fail(self, message: str) -> None:
        """Set the error; the last results stay and are stale."""
        self.busy = False
        self.error = message
        self.stale = self.report is not None
