"""The results card: accuracy, size and further figures, formatted as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.evaluation.report import Report, Score
from workbench.i18n import _, mark as N_
from workbench.panels.views import reasons
from workbench.panels.views.labels import examples_label
from workbench.plots.spots import Spot
from workbench.session.records import Timing

DASH = "\u2013"


class Fact(NamedTuple):
    """A secondary figure: its label, its format and its explanation."""

    label: str
    format: Callable[[float], str]
    help: str


FACTS = {
    "bits per character": Fact(
        N_("bits per character"),
        formatting.number,
        N_("Cross-entropy of the next character or token, in bits per character."),
    ),
    "perplexity": Fact(
        N_("perplexity"),
        formatting.number,
        N_("Exponential of the cross-entropy; lower is better."),
    ),
    "accuracy": Fact(
        N_("top-1 accuracy"),
        formatting.percent,
        N_("How often the most likely prediction is the correct one."),
    ),
    "recall": Fact(
        N_("recall"),
        formatting.percent,
        N_("Recall averaged over the classes (macro recall)."),
    ),
    "f1": Fact(
        N_("F1"),
        formatting.percent,
        N_("F1 score averaged over the classes (macro F1)."),
    ),
    "root mean squared error": Fact(
        N_("root mean squared error"), formatting.number, N_("Root mean squared error (RMSE).")
    ),
    "mean absolute error": Fact(
        N_("mean absolute error"), formatting.number, N_("Mean of the absolute errors (MAE).")
    ),
    "r2": Fact(
        N_("R²"),
        formatting.percent,
        N_(
            "Coefficient of determination: the share of the variance of the targets that the "
            "predictions explain."
        ),
    ),
}
"""Secondary figures by their names in `Score.figures`."""
EXPECTED = {
    "classes": ("recall", "f1"),
    "tokens": ("bits per character", "perplexity", "accuracy"),
    "numbers": ("root mean squared error", "mean absolute error", "r2"),
    "whole": (),
}
"""Names of the figures to expect before there is a score, by `Metric.counts`."""


def numbers(
    report: Report | None,
    original: Spot,
    *,
    untouched: bool,
    stale: bool,
    uncompressed: Spot | None = None,
    baseline: Report | None = None,
    parameters: int | None = None,
    replaced_macs: int | None = None,
    metric: Metric = ACCURACY,
    input_type: str = "image",
    timing: Timing | None = None,
    known: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the texts of the card by key.

    Parameters
    ----------
    report
        The newest report; without one, an uncompressed model shows the figures of its model card.
    original
        The model that the user chose, as a point of the chart.
    uncompressed
        The model that is compressed; by default the original. A student may take its place.
    untouched
        Whether the recipe is empty.
    stale
        Whether the report belongs to an earlier recipe and no measurement is running.
    baseline
        The exact report of the baseline recipe, if there is one.
    parameters
        Number of parameters of the model, named if the file has another one.
    replaced_macs
        For a student, the multiply-accumulates of the original.
    metric, input_type
        Metric and input type of the task.
    timing
        The latencies of the uncompressed model and of the file, if they are measured.
    known
        The figures of the model card, which an uncompressed model shows before it is measured.
    """
    score = report.score if report is not None else None
    value = score.value if score is not None else None
    size = report.size.bytes if report is not None else None
    is_student = uncompressed not in (None, original)
    if report is None and untouched:
        shown = uncompressed or original
        value, size = shown.value, shown.bytes
    texts = {
        "accuracy": DASH if value is None else metric.format(value),
        "interval": _interval(score, metric),
        "change": _change(value, original.value, metric),
        "bytes": DASH if size is None else formatting.nbytes(size),
        "original": _("original {size}").format(size=formatting.nbytes(original.bytes)),
        "times": "" if size is None else formatting.size_ratio(original.bytes / size),
        "status": _status(
            report, input_type, untouched=untouched, stale=stale, is_student=is_student
        ),
    }
    sentences = reasons.sentences(report, original, baseline, metric, replaced_macs=replaced_macs)
    return {
        **texts,
        "pending": value is None,
        "exact": (report is None and untouched) or reasons.exact(report),
        "facts": [
            *_facts(report, parameters, metric, known if untouched else {}),
            *_latency(timing),
        ],
        "reasons": sentences,
        "more": reasons.more(len(sentences)),
        "announcement": ", ".join(
            [metric.label, *(texts[key] for key in ("accuracy", "status", "bytes", "times"))]
        ),
    }


def _change(value: float | None, original: float, metric: Metric) -> str:
    """Return the difference from the original; a “±0” would be read as an error bound."""
    if value is None:
        return ""
    return _("unchanged") if value == original else metric.difference(value, original)


def _interval(score: Score | None, metric: Metric) -> str:
    if score is None or score.exact:
        return ""
    low, high = metric.format(score.low), metric.format(score.high)
    return _("{low} to {high}").format(low=low, high=high)


def _status(
    report: Report | None, input_type: str, *, untouched: bool, stale: bool, is_student: bool
) -> str:
    if stale:
        return _("of the previous recipe")
    if report is None and untouched:
        return _("the student, not compressed") if is_student else _("the original model")
    score = report.score if report is not None else None
    if score is None:
        return _("measuring")
    if report is not None and report.preview_of is not None:
        return _("preview with the baseline")
    if score.exact:
        text = _("exact · {count} {examples}")
        if report is not None and report.recipe.train is not None:
            text = _("trained · exact · {count} {examples}")
        return text.format(count=formatting.count(score.total), examples=examples_label(input_type))
    return _("estimate · {count} of {total} {examples}").format(
        count=formatting.count(score.examples),
        total=formatting.count(score.total),
        examples=examples_label(input_type),
    )


def _facts(
    report: Report | None, parameters: int | None, metric: Metric, known: Mapping[str, float]
) -> list[dict[str, str]]:
    size = report.size if report is not None else None
    score = report.score if report is not None else None
    nonzero = DASH
    if size is None and "nonzero" in known and parameters is not None:
        nonzero = _("{count} of {total}").format(
            count=formatting.count(int(known["nonzero"])), total=formatting.count(parameters)
        )
    if size is not None:
        text = _("{count} of {total}")
        if parameters not in (None, size.parameters):
            text = _("{count} of {total}, originally {before}")
        nonzero = text.format(
            count=formatting.count(size.nonzero),
            total=formatting.count(size.parameters),
            before=formatting.count(parameters or 0),
        )
    facts = [
        *_zeros(report, known),
        (
            _("nonzero parameters"),
            nonzero,
            _(
                "Number of nonzero values, out of all parameters in the file. Removed channels are "
                "not in the file: they count neither as parameters nor as zeros."
            ),
        ),
        *_figures(score, metric, known),
    ]
    return [{"label": label, "value": value, "help": help_} for label, value, help_ in facts]


def _zeros(report: Report | None, known: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """Return requested and achieved sparsity, or why there are zeros without a request."""
    achieved = _(
        "Share of zeros among the weights in the file, over all prunable layers. Removed channels "
        "are not in the file."
    )
    if report is None:
        share = formatting.percent(known["zeros"]) if "zeros" in known else DASH
        return [(_("zeros"), share, achieved)]
    size = report.size
    share = formatting.percent(size.sparsity_achieved)
    if report.recipe.prune is not None:
        requested = _("Requested share of zeros, over all prunable layers.")
        return [
            (_("requested sparsity"), formatting.percent(size.sparsity_requested), requested),
            (_("achieved"), share, achieved),
        ]
    if report.recipe.quantize is None or round(size.sparsity_achieved, 3) == 0:
        return [(_("zeros"), share, achieved)]
    return [
        (
            _("zeros"),
            _("{share} by rounding").format(share=share),
            _("No pruning is requested: with few bits, small weights are rounded to zero."),
        )
    ]


def _latency(timing: Timing | None) -> list[dict[str, str]]:
    """Return the median latency of one example, once it is measured."""
    if timing is None:
        return []
    before, now = (formatting.milliseconds(side["batch_1"]["median"]) for side in timing)
    return [
        {
            "label": _("latency"),
            "value": _("{now}, uncompressed {before}").format(now=now, before=before),
            "help": _("Median time for one example on this machine, measured alternately."),
        }
    ]


def _figures(
    score: Score | None, metric: Metric, known: Mapping[str, float]
) -> list[tuple[str, str, str]]:
    """Return the secondary figures; those that are not `known` before a measurement are a dash."""
    expected = {name: known.get(name) for name in EXPECTED[metric.counts]}
    figures = expected if score is None else score.figures
    return [
        (_(x.label), DASH if (value := figures[name]) is None else x.format(value), _(x.help))
        for name, x in FACTS.items()
        if name in figures and name != metric.name
    ]
