"""What training on a table and on pictures have in common."""

from __future__ import annotations

from workbench import formatting
from workbench.cancel import CancelToken
from workbench.domain import Model
from workbench.i18n import _
from workbench.panels.uploads.step import Outcome, Progress


def training_token(cancel: CancelToken, progress: Progress) -> CancelToken:
    """Return a token for a training, which reports its progress in texts."""

    def on_progress(fraction: float) -> None:
        if fraction < 1:
            progress(_("training"), fraction)
        else:
            progress(_("measuring"), None)

    return cancel.reporting(on_progress)


def outcome(model: Model) -> Outcome:
    """Return a model that was trained, with a sentence about it."""
    task = model.task
    text = _(
        "Trained on {count} examples; {metric} is {value} on {validation} validation examples."
    ).format(
        count=formatting.count(len(task.split("train"))),
        metric=task.metric.label,
        value=task.metric.format(model.metric_value("validation")),
        validation=formatting.count(len(task.split("validation"))),
    )
    return Outcome(model.name, text, created=model, learned=True)
