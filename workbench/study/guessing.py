"""Whether the predictions of a recipe are better than always the most frequent class."""

from __future__ import annotations

import numpy as np

from workbench import formatting
from workbench.domain import Model
from workbench.evaluation.guessing import beats_majority, majority
from workbench.i18n import _
from workbench.study.measurement import SPLIT
from workbench.study.trial import Trial


def guessing_sentence(model: Model, trial: Trial) -> str | None:
    """Return a sentence if an exact trial is not measurably better than guessing, else None.

    A limit on the accuracy does not exclude such files where one class is rare.
    """
    task = model.task
    if task.metric.counts != "classes" or trial.value is None:
        return None
    labels = np.asarray(task.split(SPLIT).labels)
    guess, count = majority(labels, len(task.classes))
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


def _beats(
    trial: Trial, labels: np.ndarray[tuple[int], np.dtype[np.integer]], guess: int, count: int
) -> bool:
    right = np.unpackbits(np.frombuffer(trial.correct, np.uint8), count=len(labels))
    hits = int(right[labels == guess].sum())
    return beats_majority([[hits, count - hits]], int(right.sum()), 0)
