"""The figures that put a score into context: guessing, classes, new data, units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np

from workbench import formatting
from workbench.arguments import expect_instance
from workbench.display import Displayable
from workbench.domain import Model, Split, Task
from workbench.domain.metric import metric_named
from workbench.domain.sum_metrics import LabelScale
from workbench.evaluation.guessing import beats_majority, beats_mean, majority
from workbench.evaluation.outliers import dominant_row
from workbench.evaluation.report import Report, Score
from workbench.i18n import _
from workbench.validation import expect_model

SMALL = 1_000
"""Below this number of examples, a sentence says what to expect on new data."""


@dataclass(frozen=True)
class HonestFigures(Displayable):
    """What a user needs to know next to a score.

    Attributes
    ----------
    metric : str
        The metric of the baseline: "accuracy", or "root mean squared error" in the unit of the
        target.
    value, baseline : float
        The value of this metric, and what guessing reaches on the same examples: always the most
        frequent class, or always the mean.
    guess : str
        The class that guessing always predicts; for a number, the mean in its unit.
    better : bool
        Whether the model is measurably better than guessing.
    recalls : mapping
        For each class, the fraction of its examples that are recognized, 0 to 1; None if it has no
        examples. Empty for numbers and for more than 256 classes.
    new_data : tuple of float, optional
        The 95 % interval of the accuracy on new data (Wilson).
    examples : int
        The examples that were evaluated.
    sentences : tuple of str
        The same as sentences, a warning first.
    """

    _plots = "honest_figures"

    metric: str
    value: float
    baseline: float
    guess: str
    better: bool
    recalls: Mapping[str, float | None]
    new_data: tuple[float, float] | None
    examples: int
    sentences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        metric = metric_named(self.metric)
        value, baseline = metric.format(self.value), metric.format(self.baseline)
        return (
            f"<HonestFigures {metric.label} {value} of {self.examples:,}, by guessing {baseline}>"
        )


def honest_figures(model: Model, report: Report) -> HonestFigures | None:
    """Return the figures next to the score of a report.

    Parameters
    ----------
    model
        The model that was measured.
    report
        The result of `wb.measure` or `wb.evaluate`.

    Returns
    -------
    HonestFigures or None
        None for sequences and custom metrics, and while a report is an estimate.

    Examples
    --------
    >>> model = wb.model("fashion/lenet5")
    >>> figures = wb.honest_figures(model, wb.measure(model, wb.Recipe(), timed=False))
    >>> figures.better, figures.baseline < 0.2
    (True, True)
    """
    expect_model(model)
    expect_instance(report, Report, "Pass a report, as wb.measure returns it", "not_a_report")
    if report.score is None or not report.exact:
        return None
    return figures_of_score(model.task, model.task.split(report.split), report.score)


def figures_of_score(task: Task, split: Split, score: Score) -> HonestFigures | None:
    """Return the figures next to the exact score of a split, or None, as `honest_figures`."""
    if task.metric.counts == "classes":
        return _of_classes(task, split, score)
    return _of_numbers(task, split, score) if task.metric.counts == "numbers" else None


def _of_classes(task: Task, split: Split, score: Score) -> HonestFigures:
    labels = np.asarray(split.labels)
    guess, count = majority(labels, len(task.classes))
    correct = round(score.value * score.examples)
    new_data = score.figures["population_low"], score.figures["population_high"]
    baseline = count / len(labels)
    if score.confusion:
        better = beats_majority(score.confusion, correct, guess)
    else:
        better = new_data[0] > baseline
    name = _(task.classes[guess])
    share, reached = formatting.percent(baseline), formatting.percent(score.value)
    if better:
        first = _("Always predicting “{name}” would reach {share}.")
    elif score.value <= baseline:
        first = _(
            "No better than guessing: always predicting “{name}” would reach {share}, so nothing "
            "useful was learned."
        )
    else:
        first = _(
            "Not measurably better than guessing: always predicting “{name}” would reach {share}, "
            "and {examples} examples are too few to see a difference."
        )
    sentences = [first.format(name=name, share=share, examples=formatting.count(score.examples))]
    if score.examples < SMALL:
        low, high = formatting.percent_interval(*new_data)
        sentences.append(
            _(
                "{value} on these {examples} examples; on new ones like these {low} to {high}."
            ).format(
                value=reached,
                examples=formatting.count(score.examples),
                low=low,
                high=high,
            )
        )
    return HonestFigures(
        metric="accuracy",
        value=score.value,
        baseline=baseline,
        guess=task.classes[guess],
        better=better,
        recalls=_recalls(task, score),
        new_data=new_data,
        examples=score.examples,
        sentences=tuple(sentences),
    )


def _recalls(task: Task, score: Score) -> dict[str, float | None]:
    rows = zip(task.classes, score.confusion, strict=False)
    return {
        name: row[index] / sum(row) if sum(row) else None for index, (name, row) in enumerate(rows)
    }


def _of_numbers(task: Task, split: Split, score: Score) -> HonestFigures:
    labels = LabelScale.of(task, split)
    mean = float(task.target.in_unit(np.asarray(split.labels)).mean())
    error, explained = score.figures["root mean squared error"], score.figures["r2"]
    baseline = labels.variance**0.5 * labels.unit
    better = isfinite(explained) and beats_mean(explained, score.examples)
    if better:
        text = _(
            "The typical error is {error}; always predicting the mean, {mean}, would be off by "
            "{baseline}."
        )
    else:
        text = _(
            "No better than guessing: the typical error is {error}; always predicting the mean, "
            "{mean}, would be off by {baseline}."
        )
    sentence = text.format(
        error=formatting.number(error),
        mean=formatting.number(mean),
        baseline=formatting.number(baseline),
    )
    outlier = "" if better else dominant_row(task, split)
    return HonestFigures(
        metric="root mean squared error",
        value=error,
        baseline=baseline,
        guess=formatting.number(mean),
        better=better,
        recalls={},
        new_data=None,
        examples=score.examples,
        sentences=(f"{sentence} {outlier}".rstrip(),),
    )
