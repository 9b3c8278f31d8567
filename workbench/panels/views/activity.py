"""What the Train page says about running, stopped and finished work, in each of its tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.evaluation.training_progress import TrainingProgress, aim
from workbench.i18n import _, mark as N_, plural
from workbench.panels.jobs import MEASUREMENT
from workbench.panels.views.labels import examples_label
from workbench.plots import course
from workbench.session import Session
from workbench.session.sweep_progress import SweepProgress

if TYPE_CHECKING:
    from workbench.training.types import TrainingStep

Activity = dict[str, Any]
"""Text and `tone` of a line above the tab; if work runs, its `fraction`, None while it is unknown,
and the `job` that a button cancels; otherwise other buttons."""

STEPS = {
    "fine_tune": N_("Fine-tuning: step {step} of {steps}, about {seconds} s left"),
    "distill": N_("Distilling: step {step} of {steps}, about {seconds} s left"),
    "train": N_("Training: step {step} of {steps}, about {seconds} s left"),
    "student": N_("Training the student: step {step} of {steps}, about {seconds} s left"),
}


def activity(session: Session, tab: str) -> Activity | None:
    """Return the line above a tab of the Train page; None if there is nothing to say.

    Each tab names running work, whichever tab it belongs to; otherwise its own last work.
    """
    training, sweep = training_activity(session), sweep_activity(session)
    preferred, other = (sweep, training) if tab == "temperature" else (training, sweep)
    if preferred is None or not is_running(preferred):
        return other if other is not None and is_running(other) else preferred
    return preferred


def has_running_work(session: Session) -> bool:
    """Return whether a training, a search, an export or parallel ranks are running."""
    jobs = (session.choosing, session.deploying, session.parallel)
    lines = (training_activity(session), sweep_activity(session))
    return any(job is not None and job.running for job in jobs) or any(
        line is not None and is_running(line) for line in lines
    )


def working(job: str, text: str, fraction: float | None = None) -> Activity:
    """Return the line of a job that runs."""
    return {"tone": "working", "job": job, "fraction": fraction, "text": text}


def is_running(line: Activity) -> bool:
    """Whether the work of a line is running."""
    return bool(line["tone"] == "working")


def training_activity(session: Session) -> Activity | None:
    """Return the line about the training of the current recipe."""
    progress, train = session.training, session.recipe.train
    if train is None:
        if session.interruption is None:
            return None
        undo = {"act": "undo", "text": _("undo, and resume the training")}
        return {"tone": "stopped", "text": session.interruption, "buttons": [undo]}
    if session.busy:
        return _running(session, progress)
    if session.error:
        again = {"act": "resume", "text": _("try again")}
        return {"tone": "failed", "text": session.error, "buttons": [again]}
    if not session.settled:
        return _stopped(progress)
    return _finished(session, progress)


def running_steps(progress: TrainingProgress) -> str:
    """Return the sentence about the steps of a training run that is not over."""
    return _steps(
        aim(progress.settings), progress.step, progress.settings.steps, progress.seconds_left
    )


def repeated_steps(step: TrainingStep | None, input_type: str) -> str:
    """Return how far the repeated training of a student is."""
    if step is None:
        return _("Preparing the training")
    if step.over:
        return _("Measuring the trained file on all {examples}").format(
            examples=examples_label(input_type)
        )
    return _steps("student", step.step, step.steps, step.seconds_left)


def _steps(aim_of: str, step: int, steps: int, seconds_left: float) -> str:
    return _(STEPS[aim_of]).format(
        step=formatting.count(step),
        steps=formatting.count(steps),
        seconds=formatting.count(max(1, round(seconds_left))),
    )


def sweep_activity(session: Session) -> Activity | None:
    """Return the line about the comparison of temperatures."""
    sweep = session.sweep_progress
    if sweep is None or (sweep.over and sweep.completed == 1):
        return None
    if sweep.over:
        text = _("Stopped: {finished} of {students} students have finished.")
        return {"tone": "stopped", "text": text.format(**_counts(sweep))}
    return working("sweep", _sweep_text(sweep), sweep.completed or None)


def _sweep_text(sweep: SweepProgress) -> str:
    if not sweep.students:
        return (
            _("Preparing the training")
            if sweep.seconds is None
            else course.measuring(sweep.seconds)
        )
    if sweep.seconds_left is None:
        return _("Training {students} students").format(**_counts(sweep))
    text = _("Training {students} students: {finished} finished, about {seconds} s left")
    remaining = formatting.count(max(1, round(sweep.seconds_left)))
    return text.format(**_counts(sweep), seconds=remaining)


def _counts(sweep: SweepProgress) -> dict[str, str]:
    return {
        "students": formatting.count(sweep.students),
        "finished": formatting.count(sweep.finished),
    }


def _running(session: Session, progress: TrainingProgress | None) -> Activity:
    if session.training_budget is not None:
        return working(MEASUREMENT, course.measuring(session.training_budget))
    if progress is None:
        return working(MEASUREMENT, _("Preparing the training"))
    if not progress.over:
        return working(MEASUREMENT, running_steps(progress), progress.fraction)
    text = _("Measuring the trained file on all {examples}").format(
        examples=examples_label(session.model.task.input_type)
    )
    return working(MEASUREMENT, text)


def _stopped(progress: TrainingProgress | None) -> Activity:
    resume = {"act": "resume", "text": _("resume")}
    if progress is None:
        text = _("Stopped before the first step.")
    elif progress.over:
        text = _("Stopped before the trained file was measured.")
    else:
        text = _("Stopped at step {step} of {steps}; these steps are kept.").format(
            step=formatting.count(progress.step),
            steps=formatting.count(progress.settings.steps),
        )
    return {"tone": "stopped", "text": text, "buttons": [resume]}


def _finished(session: Session, progress: TrainingProgress | None) -> Activity | None:
    cost = session.report.training if session.report is not None else None
    if cost is None:
        return None
    fields = {
        "steps": plural("{count} step", "{count} steps", round(cost["steps"])).format(
            count=formatting.count(round(cost["steps"]))
        ),
        "seconds": formatting.count(max(1, round(cost["seconds"]))),
        "rate": formatting.count(round(cost["examples_per_second"])),
    }
    if progress is None:
        text = _(
            "This recipe was trained before: {steps} in {seconds} s. Its learning curve is not "
            "stored."
        )
    elif progress.elapsed is None:
        text = _("The steps took {seconds} s, at {rate} examples per second.")
    else:
        text = _(
            "The steps took {seconds} of {elapsed} s, at {rate} examples per second; the rest was "
            "spent on timing a step, measuring, and writing the file."
        )
        fields["elapsed"] = formatting.count(max(1, round(progress.elapsed)))
    line: Activity = {"tone": "done", "text": text.format(**fields)}
    return line if progress is None else line | _advice(session, progress)


def _advice(session: Session, progress: TrainingProgress) -> Activity:
    """Return buttons if the file was better before; empty if it was not."""
    metric, settings = session.model.task.metric, progress.settings
    if not progress.is_worse(metric) and progress.better_step(metric) is None:
        return {}
    buttons: list[dict[str, str]] = [
        {"act": "train_again", "text": _("try half of the steps"), "change": "steps"},
        {"act": "train_again", "text": _("try a smaller learning rate"), "change": "learning_rate"},
    ]
    if not settings.patience:
        label = _("try with patience, which restores the best weights")
        buttons.append({"act": "train_again", "text": label, "change": "patience"})
    if settings.start == "trained":
        buttons.append({"act": "drop_training", "text": _("return to the untrained file")})
    return {"buttons": buttons}
