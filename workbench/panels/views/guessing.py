"""What the card says about guessing and, for models of the user's data, about new data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain import Model
from workbench.evaluation.intervals import expected_on_test
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.panels.views.reasons import exact
from workbench.recipe import Recipe
from workbench.zoo.tables import CUSTOM_PREFIX

if TYPE_CHECKING:
    from workbench.evaluation.honest_figures import HonestFigures

DASH = "\u2013"
SPLIT = "validation"


def with_guessing(texts: dict[str, Any], model: Model, report: Report | None) -> dict[str, Any]:
    """Return the texts of the card with the figures of guessing, for models of the user's data.

    For every model, a sentence that the file is no better than guessing comes first.
    """
    if model.task.metric.counts not in ("classes", "numbers"):
        return texts
    if not model.name.startswith(CUSTOM_PREFIX):
        return {**texts, "reasons": [*_no_better(model, report), *texts["reasons"]]}
    honest = _honest(model, report)
    expected = None if honest is None else _on_test(model, honest)
    result = {**texts, "facts": [*texts["facts"], *_facts(model, honest, expected)]}
    if honest is None:
        return result
    first, *others = honest.sentences
    sentences = texts["reasons"]
    result["reasons"] = (
        [*sentences, first, *others] if honest.better else [first, *sentences, *others]
    )
    return result


def _no_better(model: Model, report: Report | None) -> list[str]:
    """Return a sentence if a compressed built-in model is no better than guessing."""
    if report is None or report.recipe == Recipe():
        return []
    honest = _honest(model, report)
    if honest is None or honest.better:
        return []
    text = _("No better than guessing: always predicting “{name}” would reach {share}.")
    return [text.format(name=_(honest.guess), share=formatting.percent(honest.baseline))]


def _honest(model: Model, report: Report | None) -> HonestFigures | None:
    if report is None or not exact(report):
        return None
    from workbench.evaluation.honest_figures import honest_figures  # loads torch

    return honest_figures(model, report)


def _on_test(model: Model, honest: HonestFigures) -> tuple[float, float] | None:
    """Return the interval of the accuracy on test, as on the page Choose."""
    if model.task.metric.counts != "classes":
        return None
    lost = model.accuracy(SPLIT) - model.accuracy("test")
    correct = round(honest.value * honest.examples)
    others = model.card["accuracy"]["test"]["examples"]
    return expected_on_test(correct, honest.examples, others, lost)


def _facts(
    model: Model, honest: HonestFigures | None, expected: tuple[float, float] | None
) -> list[dict[str, str]]:
    is_number = model.task.metric.counts == "numbers"
    write = formatting.number if is_number else formatting.percent
    facts = [
        {
            "label": _("by guessing"),
            "value": DASH if honest is None else write(honest.baseline),
            "help": _("The root mean squared error of always predicting the average.")
            if is_number
            else _("The accuracy of always predicting the most frequent class."),
        }
    ]
    if not is_number:
        facts.append(
            {
                "label": _("expected on test"),
                "value": DASH if expected is None else _range(*expected),
                "help": _(
                    "The 95\u202f% interval of the accuracy on the test examples: estimated from "
                    "the validation examples, and lowered by the original's loss on test."
                ),
            }
        )
    return facts


def _range(low: float, high: float) -> str:
    first, last = formatting.percent_interval(low, high)
    return _("{low} to {high}").format(low=first, high=last)
