"""The numbers beside the picture, written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.evaluation.report import Report, Score
from workbench.i18n import _
from workbench.i18n import mark as N_
from workbench.panels.labels import examples_label
from workbench.plots.tradeoff import Spot
from workbench.recipe import PARTS, Recipe
from workbench.recipe.schema import specs

DASH = "\u2013"


class Fact(NamedTuple):
    """A figure beside the headline: its label, how it is written, and what it is."""

    label: str
    write: Callable[[float], str]
    help: str


FACTS = {
    "bits per character": Fact(
        N_("bits per character"),
        formatting.number,
        N_("How many bits the next one costs where the model predicts it."),
    ),
    "perplexity": Fact(
        N_("perplexity"),
        formatting.number,
        N_("Among how many equally likely next ones the model is in doubt."),
    ),
    "accuracy": Fact(
        N_("next one right"),
        formatting.percent,
        N_("How often the likeliest next one is the true one."),
    ),
    "recall": Fact(
        N_("recall"),
        formatting.percent,
        N_("The share found of each class, averaged over the classes (macro recall)."),
    ),
    "f1": Fact(
        N_("F1"),
        formatting.percent,
        N_("The balance of recall and precision, averaged over the classes (macro F1)."),
    ),
    "root mean squared error": Fact(
        N_("root mean squared error"), formatting.number, N_("The typical size of an error.")
    ),
    "mean absolute error": Fact(
        N_("mean absolute error"), formatting.number, N_("The average size of an error.")
    ),
    "explained variance": Fact(
        N_("explained variance"),
        formatting.percent,
        N_("The share of the numbers' variance that the predictions account for (R²)."),
    ),
}
"""By the names of a score's figures."""
EXPECTED = {
    "classes": ("recall", "f1"),
    "tokens": ("bits per character", "perplexity", "accuracy"),
    "numbers": ("root mean squared error", "mean absolute error", "explained variance"),
    "whole": (),
}
"""Those that a score will have, by what a task's metric counts."""


def numbers(
    report: Report | None,
    original: Spot,
    *,
    untouched: bool,
    stale: bool,
    plain: Report | None = None,
    parameters: int | None = None,
    metric: Metric = ACCURACY,
    form: str = "image",
) -> dict[str, Any]:
    """Return the card's texts by key, and what a screen reader says once they have settled.

    Until there is a report, those of an `untouched` model are what its own card states. `stale`
    says that the report is of an older recipe and that no newer one is under way; `plain` is the
    exact report of the recipe's plain version, if it has one, and `parameters` those of the model.
    `metric` and `form` are those of the task.
    """
    score = report.score if report is not None else None
    value = score.value if score is not None else None
    size = report.size.bytes if report is not None else None
    if report is None and untouched:
        value, size = original.value, original.bytes
    said = {
        "accuracy": DASH if value is None else metric.format(value),
        "interval": _interval(score, metric),
        "change": "" if value is None else metric.change(value - original.value),
        "bytes": DASH if size is None else formatting.nbytes(size),
        "times": "" if size is None else _times(original.bytes / size),
        "judged": _judged(report, form, untouched=untouched, stale=stale),
    }
    return {
        **said,
        "pending": value is None,
        "exact": (report is None and untouched) or _is_settled(report),
        "facts": _facts(report, parameters, metric),
        "reasons": [*_gain(report, plain, metric), *_reasons(report)],
        "spoken": ", ".join(
            [_(metric.name), *(said[key] for key in ("accuracy", "judged", "bytes", "times"))]
        ),
    }


def _is_settled(report: Report | None) -> bool:
    return report is not None and report.exact and report.preview_of is None


def _reasons(report: Report | None) -> list[str]:
    return [reason.text for reason in report.size.reasons] if report is not None else []


def _gain(report: Report | None, plain: Report | None, metric: Metric) -> list[str]:
    """Say what the slower choices bring, once both files are measured."""
    if report is None or plain is None or not _is_settled(report):
        return []
    sentence = _("{change} against the plain version, {plain}: {accuracy} in {bytes}.")
    return [
        sentence.format(
            change=metric.change(report.value - plain.value),
            plain=", ".join(_plainer(report.recipe)),
            accuracy=metric.format(plain.value),
            bytes=formatting.nbytes(plain.bytes),
        )
    ]


def _plainer(recipe: Recipe) -> list[str]:
    """Name the choices in which the plain version of `recipe` differs."""
    plain = recipe.baseline
    return [
        f"{spec.label} {next(c.label for c in spec.choices if c.value == getattr(part, spec.name))}"
        for key in PARTS
        if (part := getattr(plain, key)) is not None
        for spec in specs(part)
        if getattr(part, spec.name) != getattr(getattr(recipe, key), spec.name)
    ]


def _interval(score: Score | None, metric: Metric) -> str:
    if score is None or score.exact:
        return ""
    low, high = metric.format(score.low), metric.format(score.high)
    return _("{low} to {high}").format(low=low, high=high)


def _times(ratio: float) -> str:
    if abs(ratio - 1) < 0.005:
        return _("same size") if ratio == 1 else _("about the same size")
    if ratio < 1:
        return _("{ratio} larger").format(ratio=formatting.times(1 / ratio))
    return _("{ratio} smaller").format(ratio=formatting.times(ratio))


def _judged(report: Report | None, form: str, *, untouched: bool, stale: bool) -> str:
    if stale:
        return _("of the recipe before this one")
    if report is None and untouched:
        return _("the original model")
    score = report.score if report is not None else None
    if score is None:
        return _("measuring")
    if report is not None and report.preview_of is not None:
        return _("plain version meanwhile")
    if score.exact:
        return _("exact · {count} {examples}").format(
            count=formatting.count(score.total), examples=examples_label(form)
        )
    return _("estimate · {done} of {all} {examples}").format(
        done=formatting.count(score.examples),
        all=formatting.count(score.total),
        examples=examples_label(form),
    )


def _facts(report: Report | None, parameters: int | None, metric: Metric) -> list[dict[str, str]]:
    size = report.size if report is not None else None
    score = report.score if report is not None else None
    left = DASH
    if size is not None:
        left = _("{left} of {all}").format(
            left=formatting.count(size.nonzero),
            all=formatting.count(size.parameters if parameters is None else parameters),
        )
    facts = [
        (
            _("sparsity asked"),
            _share(size.sparsity_requested if size else None),
            _("The share of zeros asked for, over all prunable layers."),
        ),
        (
            _("achieved"),
            _share(size.sparsity_achieved if size else None),
            _("The share of zeros in the file's weights, over all prunable layers."),
        ),
        (
            _("parameters left"),
            left,
            _("Values in the file that are not zero, of all that the model has."),
        ),
        *_figures(score, metric),
    ]
    return [{"label": label, "value": value, "help": help_} for label, value, help_ in facts]


def _figures(score: Score | None, metric: Metric) -> list[tuple[str, str, str]]:
    """Return what is measured beside the headline, and until then what will be."""
    known = score.figures if score is not None else dict.fromkeys(EXPECTED[metric.counts])
    return [
        (_(fact.label), DASH if (value := known[name]) is None else fact.write(value), _(fact.help))
        for name, fact in FACTS.items()
        if name in known and name != metric.name
    ]


def _share(value: float | None) -> str:
    return DASH if value is None else formatting.percent(value)
