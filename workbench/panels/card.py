"""The numbers beside the picture, written out."""

from __future__ import annotations

from typing import Any

from workbench import figures
from workbench.evaluation.report import Report, Score
from workbench.plots.tradeoff import Spot
from workbench.recipe import PARTS, Recipe
from workbench.recipe.schema import specs
from workbench.text import _, plural

DASH = "\u2013"


def numbers(
    report: Report | None,
    original: Spot,
    *,
    untouched: bool,
    stale: bool,
    plain: Report | None = None,
    parameters: int | None = None,
) -> dict[str, Any]:
    """Return the card's texts by key, and what a screen reader says once they have settled.

    Until there is a report, those of an `untouched` model are what its own card states. `stale`
    says that the report is of an older recipe and that no newer one is under way; `plain` is the
    exact report of the recipe's plain version, if it has one, and `parameters` those of the model.
    """
    score = report.score if report is not None else None
    accuracy = score.accuracy if score is not None else None
    size = report.size.bytes if report is not None else None
    if report is None and untouched:
        accuracy, size = original.accuracy, original.bytes
    said = {
        "accuracy": DASH if accuracy is None else figures.percent(accuracy),
        "interval": _interval(score),
        "change": "" if accuracy is None else figures.points(accuracy - original.accuracy),
        "bytes": DASH if size is None else figures.nbytes(size),
        "times": "" if size is None else _times(original.bytes / size),
        "judged": _judged(report, untouched=untouched, stale=stale),
    }
    return {
        **said,
        "pending": accuracy is None,
        "exact": (report is None and untouched) or _is_settled(report),
        "facts": _facts(report, parameters),
        "reasons": [*_gain(report, plain), *_reasons(report)],
        "spoken": ", ".join(
            [_("accuracy"), *(said[key] for key in ("accuracy", "judged", "bytes", "times"))]
        ),
    }


def _is_settled(report: Report | None) -> bool:
    return report is not None and report.exact and report.stands_for is None


def _reasons(report: Report | None) -> list[str]:
    return [reason.text for reason in report.size.reasons] if report is not None else []


def _gain(report: Report | None, plain: Report | None) -> list[str]:
    """Say what the slower choices bring, once both files are measured."""
    if report is None or plain is None or not _is_settled(report):
        return []
    sentence = _("{change} against the plain version, {plain}: {accuracy} in {bytes}.")
    return [
        sentence.format(
            change=figures.points(report.accuracy - plain.accuracy),
            plain=", ".join(_plainer(report.recipe)),
            accuracy=figures.percent(plain.accuracy),
            bytes=figures.nbytes(plain.bytes),
        )
    ]


def _plainer(recipe: Recipe) -> list[str]:
    """Name the choices in which the plain version of `recipe` differs."""
    plain = recipe.plain
    return [
        f"{spec.label} {next(c.label for c in spec.choices if c.value == getattr(part, spec.name))}"
        for key in PARTS
        if (part := getattr(plain, key)) is not None
        for spec in specs(part)
        if getattr(part, spec.name) != getattr(getattr(recipe, key), spec.name)
    ]


def _interval(score: Score | None) -> str:
    if score is None or score.exact:
        return ""
    low, high = figures.percent(score.accuracy_low), figures.percent(score.accuracy_high)
    return _("{low} to {high}").format(low=low, high=high)


def _times(ratio: float) -> str:
    if abs(ratio - 1) < 0.005:
        return _("same size")
    if ratio < 1:
        return _("{ratio} larger").format(ratio=figures.times(1 / ratio))
    return _("{ratio} smaller").format(ratio=figures.times(ratio))


def _judged(report: Report | None, *, untouched: bool, stale: bool) -> str:
    if stale:
        return _("of the recipe before this one")
    if report is None and untouched:
        return _("the original model")
    score = report.score if report is not None else None
    if score is None:
        return _("measuring")
    if report is not None and report.stands_for is not None:
        return _("plain version meanwhile")
    if score.exact:
        text = plural("exact · {count} image", "exact · {count} images", score.total)
        return text.format(count=figures.count(score.total))
    return _("estimate · {done} of {all} images").format(
        done=figures.count(score.examples), all=figures.count(score.total)
    )


def _facts(report: Report | None, parameters: int | None) -> list[dict[str, str]]:
    size = report.size if report is not None else None
    score = report.score if report is not None else None
    left = DASH
    if size is not None:
        left = _("{left} of {all}").format(
            left=figures.count(size.nonzero),
            all=figures.count(size.parameters if parameters is None else parameters),
        )
    facts = [
        (
            _("sparsity asked"),
            _share(size.sparsity_requested if size else None),
            _("The share of weights that was to become zero."),
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
        (
            _("recall"),
            _share(score.recall if score else None),
            _("The share found of each class, averaged over the classes (macro recall)."),
        ),
        (
            _("F1"),
            _share(score.f1 if score else None),
            _("The balance of recall and precision, averaged over the classes (macro F1)."),
        ),
    ]
    return [{"label": label, "value": value, "help": help_} for label, value, help_ in facts]


def _share(value: float | None) -> str:
    return DASH if value is None else figures.percent(value)
