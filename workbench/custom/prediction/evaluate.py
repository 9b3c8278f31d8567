"""Evaluate a file on the data that it was made from, or on new data with known values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from os import PathLike
from typing import Any, ClassVar, overload

import numpy as np

from workbench.arguments import expect_running
from workbench.artifact.artifact import Artifact
from workbench.cancel import NEVER, CancelToken
from workbench.custom.prediction.description import Description
from workbench.custom.prediction.file_model import file_model
from workbench.custom.prediction.predict import artifact_of, new_examples
from workbench.display import Displayable
from workbench.domain import Model, Split
from workbench.domain.task import digest_of
from workbench.domain.user_architecture import UserSplit
from workbench.errors import InputError
from workbench.evaluation.honest_figures import HonestFigures, figures_of_score
from workbench.evaluation.measure import evaluate as evaluate_split
from workbench.evaluation.report import Report, Score
from workbench.evaluation.scores import reference_score
from workbench.i18n import _

File = Artifact | str | PathLike[str]


@dataclass(frozen=True, repr=False)
class NewDataReport(Displayable):
    """How well a file predicts new data whose true values are known.

    Attributes
    ----------
    model, target : str
        The names of the file's model and of what it predicts.
    classes : tuple of str
        The class names; empty if numbers are predicted.
    rows : int
        The rows or pictures that were given; those with a known value are `score.examples`.
    score : Score
        The exact score: the metric, further figures and the confusion matrix. Errors are in the
        unit of the target.
    figures : HonestFigures
        What guessing reaches on the same examples, the recall of each class, and sentences.
    notes : tuple of str
        Sentences about values that were missing or not understood.
    """

    _plots: ClassVar[str] = "new_data"

    model: str
    target: str
    classes: tuple[str, ...]
    rows: int
    score: Score
    figures: HonestFigures
    notes: tuple[str, ...]

    @property
    def value(self) -> float:
        """The accuracy, or R² of a number."""
        return self.score.value

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**asdict(self), "value": self.value, "metric": self.score.metric}

    def __repr__(self) -> str:
        return "\n".join((self.heading, *self.figures.sentences, *self.notes))

    @property
    def heading(self) -> str:
        """The metric and the number of examples in a line."""
        from workbench.domain.metric import metric_named

        metric = metric_named(self.score.metric)
        return _("{target}: {metric} {value} on {examples} new examples").format(
            target=self.target,
            metric=metric.label,
            value=metric.format(self.value),
            examples=f"{self.score.examples:,}",
        )

    @property
    def confusion(self) -> Mapping[str, Mapping[str, int]]:
        """Counts by true and then by predicted class; empty for numbers."""
        return {
            name: dict(zip(self.classes, counts, strict=True))
            for name, counts in zip(self.classes, self.score.confusion, strict=False)
        }


@overload
def evaluate(file: File, *, split: str = ..., timed: bool = ..., data: None = None) -> Report: ...


@overload
def evaluate(
    file: File,
    *,
    split: str = ...,
    timed: bool = ...,
    data: Any,
    encoding: str | None = ...,
    cancel: CancelToken = ...,
) -> NewDataReport: ...


def evaluate(
    file: File,
    *,
    split: str = "validation",
    timed: bool = True,
    data: Any = None,
    encoding: str | None = None,
    cancel: CancelToken = NEVER,
) -> Report | NewDataReport:
    """Return the exact report of a file by the reference evaluation, without any cache.

    Parameters
    ----------
    file
        An artifact, or the path of a file.
    split, timed
        As for `wb.measure`.
    data
        New data with known values, as `wb.predict` takes them: rows with the column that the file
        predicts, or pictures in folders named after their classes. The file of a model of your own
        data is then evaluated on these, and needs nothing else.
    encoding
        The encoding of `data` in a file, such as "cp1252"; by default it is found, whatever the
        file that the model was trained on has.
    cancel
        Checked while new data are read.

    Raises
    ------
    FileError
        If the file cannot be read.
    UnknownNameError
        If the file's model is not known.
    ArtifactError
        If the file's tensors do not match its model, or the model was made from other data.
    InputError
        If `data` cannot be read, or contain no known value.

    Examples
    --------
    >>> table = {"size": [30, 45, 80, 95] * 20, "large": ["no", "no", "yes", "yes"] * 20}
    >>> model = wb.from_table(table, target="large", name="sizes")
    >>> file = wb.compress(model, wb.Recipe())
    >>> wb.evaluate(file, data={"size": [20, 90, 85], "large": ["no", "yes", "no"]}).confusion
    {'no': {'no': 1, 'yes': 1}, 'yes': {'no': 0, 'yes': 1}}
    """
    expect_running(cancel)
    if data is None:
        return evaluate_split(file, split=split, timed=timed)
    artifact = artifact_of(file)
    model = file_model(artifact)
    assert artifact.preprocessing is not None  # file_model checks it
    new = new_examples(Description.from_dict(artifact.preprocessing), data, cancel, encoding)
    labels = np.zeros(0) if new.labels is None else new.labels
    known = labels >= 0 if model.task.classes else np.isfinite(labels)
    if not known.any():
        raise InputError(
            _(
                "These data have no known value of “{target}”: add that column, or for pictures "
                "put each into a folder named after its class; wb.predict needs no values."
            ).format(target=new.target.name),
            code="evaluate.no_values",
        )
    examples, labels = new.examples[known], labels[known]
    new_split = Split("validation", examples, labels, digest_of(examples, labels))
    task = replace(model.task, sources=(UserSplit(new_split),), target=new.target)
    model = Model(replace(model.architecture, task=task), model.card)
    score = reference_score(model.with_spec(artifact.spec), artifact.operands(), new_split)
    figures = figures_of_score(task, new_split, score)
    assert figures is not None  # the metric is accuracy or R²
    return NewDataReport(
        artifact.model, new.target.name, task.classes, len(known), score, figures, new.notes
    )
