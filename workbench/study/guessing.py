"""Whether predictions of a recipe are better than always the most frequent class, or the mean."""

from __future__ import annotations

import numpy as np

from workbench import formatting
from workbench.domain import Model, Task
from workbench.domain.metric import R2, RMSE
from workbench.domain.sum_metrics import LabelScale
from workbench.evaluation.guessing import beats_majority, beats_mean, majority
from workbench.i18n import _
from workbench.study.measurement import SPLIT
from workbench.study.trial import Trial

Labels = np.ndarray[tuple[int], np.dtype[np.integer]]


def guessing_sentence(model: Model, trial: Trial) -> str | None:
    """Return a sentence if an exact trial is not measurably better than guessing, else None.

    A limit on the accuracy does not exclude such files where one class is rare.
    """
    task = model.task
    if trial.value is None:
        return None
    if task.metric in (R2, RMSE):
        return _about_mean(task, trial.value)
    if task.metric.counts != "classes":
        return None
    labels, guess, count = _majority(task)
    share = count / len(labels)
    if trial.value <= share:
        text = _("No better than guessing: always predicting “{name}” would reach {share}.")
    elif trial.correct and not _beats(trial, labels, guess, count):
        text = _(
            "Not measurably better than guessing: always predicting “{name}” would reach {share}, "
            "and {examples} examples are too few to see a difference."
        )
    else:
        return None
    return text.format(
        name=_(task.classes[guess]),
        share=formatting.percent(share),
        examples=formatting.count(len(labels)),
    )


def guessed_value(model: Model) -> float | None:
    """Return the metric of always predicting the most frequent class, or the mean.

    None if the metric is not the accuracy, R² or the root mean squared error.
    """
    task = model.task
    if task.metric in (R2, RMSE):
        return _of_mean(task, LabelScale.of(task, task.split(SPLIT)))
    if task.metric.counts != "classes":
        return None
    labels, _guess, count = _majority(task)
    return count / len(labels)


def _majority(task: Task) -> tuple[Labels, int, int]:
    """Return the labels, the most frequent class and how often it occurs."""
    labels = np.asarray(task.split(SPLIT).labels)
    return labels, *majority(labels, len(task.classes))


def _about_mean(task: Task, value: float) -> str | None:
    scale, examples = LabelScale.of(task, task.split(SPLIT)), len(task.split(SPLIT))
    if not scale.variance:
        return None
    explained = value if task.metric == R2 else scale.explained((value / scale.unit) ** 2)
    guess = _of_mean(task, scale)
    if beats_mean(explained, examples):
        return None
    if explained <= 0:
        text = _("No better than guessing: always predicting the mean would reach {value}.")
    else:
        text = _(
            "Not measurably better than guessing: always predicting the mean would reach {value}, "
            "and {examples} examples are too few to see a difference."
        )
    return text.format(value=task.metric.format(guess), examples=formatting.count(examples))


def _of_mean(task: Task, scale: LabelScale) -> float:
    return 0.0 if task.metric == R2 else float(scale.variance) ** 0.5 * scale.unit


def _beats(trial: Trial, labels: Labels, guess: int, count: int) -> bool:
    right = np.unpackbits(np.frombuffer(trial.correct, np.uint8), count=len(labels))
    hits = int(right[labels == guess].sum())
    return beats_majority([[hits, count - hits]], int(right.sum()), 0)
