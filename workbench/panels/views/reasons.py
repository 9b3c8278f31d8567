"""The sentences under the numbers: why choices did not pay off, the most useful first."""

from __future__ import annotations

from collections.abc import Iterator

from workbench import formatting
from workbench.domain.metric import Metric
from workbench.evaluation.reason import Reason
from workbench.evaluation.report import Report
from workbench.i18n import _, mark as N_, plural
from workbench.plots.spots import Spot
from workbench.recipe import PARTS, Recipe
from workbench.recipe.schema import specs
from workbench.zoo.reference import reference

CLIFF = 0.05
"""The smallest loss that is reported as large: absolute for fractions, else relative."""
BROKEN = ("not_finite", "no_figure", "not_a_number", "zero_norm", "emptied", "all_zero")
SPEED = ("no_faster", "decoded_first", "simulated")
SPEED_OF_STUDENT = {
    "no_faster": N_(
        "{comparison}. Compression does not make it faster here: zeros are still "
        "multiplied ({macs} per example, as in the uncompressed student)."
    ),
    "decoded_first": N_(
        "{comparison}. Compression does not make it faster here: the weights are decoded to "
        "float32 before it runs ({macs} per example, as in the uncompressed student)."
    ),
}
"""For a student. The usual sentences say "as before", which is wrong for a replaced model."""
LENGTH = ("grew", "not_smaller", "longer_tensors", "wider", "dense_kept", "not_factored")
ACHIEVED = (
    "rounded_to_zero",
    "already_zero",
    "less_sparse",
    "set_higher",
    "one_stays",
    "whole_blocks",
    "whole_weights",
    "channels",
    "few_channels",
    "few_multiples",
)
"""Kinds of reasons by what they explain; bytes of single parts come last."""


def sentences(
    report: Report | None,
    original: Spot,
    baseline: Report | None,
    metric: Metric,
    *,
    replaced_macs: int | None = None,
) -> list[str]:
    """Return all reasons about a report, the most useful first.

    The order is: outputs that are NaN or infinite and emptied layers, a large loss of the metric,
    no gain in speed, a comparison with the baseline recipe, no gain in size, requests that were not
    achieved, and which parts of the file take bytes.

    Parameters
    ----------
    report
        The report of the selected recipe, or None before the first result.
    original
        The uncompressed model.
    baseline
        The report of the recipe's baseline, or None if it is not measured.
    metric
        The metric of the task.
    replaced_macs
        If the model is a student, the number of multiply-accumulates per example of the model that
        it replaces.
    """
    if report is None:
        return []
    reasons, name = report.size.reasons, reference(report.model)
    return [
        *_texts(reasons, BROKEN, name),
        *_cliff(report, original, metric),
        *_speed(reasons, replaced_macs),
        *_baseline(report, baseline, metric),
        *_texts(reasons, LENGTH, name),
        *_texts(reasons, ACHIEVED, name),
        *(r.about(name) for r in reasons if r.kind not in (*BROKEN, *SPEED, *LENGTH, *ACHIEVED)),
    ]


def more(count: int) -> str:
    """Return the label of the button that shows the reasons after the first."""
    others = max(0, count - 1)
    return plural("{count} more", "{count} more", others).format(count=formatting.count(others))


def _texts(reasons: tuple[Reason, ...], kinds: tuple[str, ...], original: str) -> list[str]:
    return [reason.about(original) for reason in reasons if reason.kind in kinds]


def _speed(reasons: tuple[Reason, ...], replaced_macs: int | None) -> list[str]:
    if not replaced_macs:
        return [reason.text for reason in reasons if reason.kind in SPEED]
    return [
        _speed_of_student(reason, replaced_macs) if reason.kind in SPEED_OF_STUDENT else reason.text
        for reason in reasons
        if reason.kind in SPEED
    ]


def _speed_of_student(reason: Reason, replaced_macs: int) -> str:
    macs = int(reason.numbers["macs"])
    if macs < replaced_macs:
        text = _("The student needs {ratio} fewer multiply-accumulates than the original")
        comparison = text.format(ratio=formatting.times(replaced_macs / macs))
    else:
        text = _("The student needs {ratio} as many multiply-accumulates as the original")
        comparison = text.format(ratio=formatting.times(macs / replaced_macs))
    sentence = _(SPEED_OF_STUDENT[reason.kind])
    return sentence.format(comparison=comparison, macs=formatting.count(macs))


def _cliff(report: Report, original: Spot, metric: Metric) -> Iterator[str]:
    """Yield a sentence about a large loss of the metric and what to do about it."""
    if not exact(report):
        return
    change = report.value - original.value
    large = CLIFF if metric.is_fraction else CLIFF * abs(original.value)
    if metric.better(original.value, report.value) and abs(change) >= large:
        if report.recipe.train is not None:
            sentence = _("{change} is a large loss: compress less.")
        else:
            sentence = _(
                "{change} is a large loss: compress less, or fine-tune the compressed model."
            )
        yield sentence.format(change=metric.difference(report.value, original.value))


def exact(report: Report | None) -> bool:
    """Return whether the metric of a report is exact and belongs to the file, not to a preview."""
    return report is not None and report.exact and report.preview_of is None


def _baseline(report: Report, baseline: Report | None, metric: Metric) -> list[str]:
    """Return a sentence that compares the file with that of its baseline, if both are measured."""
    if baseline is None or not exact(report):
        return []
    sentence = _("{change} compared with the baseline ({baseline}): {accuracy} in {bytes}.")
    return [
        sentence.format(
            change=metric.difference(report.value, baseline.value),
            baseline=", ".join(_baseline_settings(report.recipe)),
            accuracy=metric.format(baseline.value),
            bytes=formatting.nbytes(baseline.bytes),
        )
    ]


def _baseline_settings(recipe: Recipe) -> list[str]:
    """Return the settings in which the baseline of `recipe` differs from it."""
    baseline = recipe.baseline
    return [
        f"{spec.label} {next(c.label for c in spec.choices if c.value == getattr(part, spec.name))}"
        for key in PARTS
        if (part := getattr(baseline, key)) is not None
        for spec in specs(part)
        if getattr(part, spec.name) != getattr(getattr(recipe, key), spec.name)
    ]
