"""A report: the original and the compressed model in the trade-off of metric and size."""

from __future__ import annotations

from typing import Any

from workbench import formatting
from workbench.display import Card
from workbench.domain.metric import metric_named
from workbench.evaluation.report import Report
from workbench.i18n import _
from workbench.plots import points, tradeoff
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure
from workbench.zoo import model
from workbench.zoo.reference import reference

HEIGHT = 420
"""Height of the figure in px."""


def draw(report: Report, palette: Palette = LIGHT) -> Figure:
    """Draw the original and the compressed model as points of metric and size.

    Raises
    ------
    UnknownNameError
        If the model of the report is no longer available.
    """
    source = model(report.model)
    metric = source.task.metric
    original, spot = points.original(source, report.split), points.current(report)
    figure = tradeoff.draw(original, [], spot, palette, size=report.bytes, metric=metric)
    figure["layout"]["height"] = HEIGHT
    if report.split == "test":
        title = _("{metric} on test").format(metric=metric.label)
        figure["layout"]["yaxis"]["title"]["text"] = title
    return figure


def rows(report: Report) -> list[dict[str, Any]]:
    """Return the figures of the report as a table of one row."""
    flat = {
        name: value
        for name, value in report.as_dict().items()
        if not isinstance(value, dict | list | tuple)
    }
    energies = {"training_": report.training_energy, "inference_": report.inference_energy}
    columns: dict[str, Any] = {}
    for prefix, energy in energies.items():
        columns |= energy.columns(prefix) if energy else {}
    return [{**flat, **columns, "recipe": report.recipe.to_json()}]


def card(report: Report) -> Card:
    """Return the card of the report."""
    size, score = report.size, report.score
    facts = [
        (formatting.nbytes(size.bytes), _("in the file")),
        (formatting.size_ratio(size.original_bytes / size.bytes), ""),
    ]
    if score is not None:
        metric = metric_named(score.metric)
        label = _("{metric} on {count} {split} examples").format(
            metric=metric.label, count=formatting.count(score.examples), split=_(report.split)
        )
        facts.insert(0, (metric.format(score.value), label))
    energies = {
        _("energy of 1,000 examples"): report.inference_energy,
        _("energy of training"): report.training_energy,
    }
    facts += [energy.fact(label) for label, energy in energies.items() if energy is not None]
    return Card(
        report.model, facts, [reason.about(reference(report.model)) for reason in size.reasons]
    )
