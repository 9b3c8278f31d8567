"""Predictions for new examples: how many of each class, or a histogram of the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import formatting
from workbench.display import Card
from workbench.domain.metric import metric_named
from workbench.i18n import _, plural
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout

if TYPE_CHECKING:
    from workbench.custom.prediction.predictions import Predictions

BINS = 30
MAX_NAMED = 3
"""Classes that the card names."""


def draw(predictions: Predictions, palette: Palette = LIGHT) -> Figure:
    """Draw the number of examples of each predicted class, or a histogram of the numbers."""
    if predictions.classes:
        counts = _counts(predictions)
        bars = {"type": "bar", "x": list(counts), "y": list(counts.values())}
    else:
        sizes, edges = np.histogram(predictions.values, BINS)
        bars = {"type": "bar", "x": ((edges[1:] + edges[:-1]) / 2).tolist(), "y": sizes.tolist()}
    title = _("predicted {target}").format(target=predictions.target)
    kind = {"type": "category"} if predictions.classes else {}
    return {
        "data": [{**bars, "marker": {"color": palette.categories[0]}}],
        "layout": layout(
            palette,
            title,
            xaxis=axis(palette, predictions.target, **kind),
            yaxis=axis(palette, _("examples")),
        ),
    }


def rows(predictions: Predictions) -> list[dict[str, Any]]:
    """Return the columns, the prediction and the probabilities of each example."""
    return predictions.rows()


def card(predictions: Predictions) -> Card:
    """Return the card of the predictions."""
    count = len(predictions)
    label = plural("example", "examples", count)
    facts = [(formatting.count(count), label)]
    if predictions.classes:
        counts = _counts(predictions)
        most = sorted(counts, key=lambda name: -counts[name])[:MAX_NAMED]
        facts += [(formatting.count(counts[name]), name) for name in most if counts[name]]
    elif count:
        facts.append((formatting.number(float(np.mean(predictions.values))), _("mean")))
    figures = predictions.figures
    if figures:
        metric = metric_named("accuracy" if predictions.classes else "root mean squared error")
        label = _("{metric} where the true value is known").format(metric=metric.label)
        facts.append((metric.format(figures[metric.name]), label))
    title = _("predicted {target}").format(target=predictions.target)
    return Card(title, facts, predictions.notes)


def _counts(predictions: Predictions) -> dict[str, int]:
    counts = np.bincount(
        predictions.values[predictions.values >= 0], minlength=len(predictions.classes)
    )
    return dict(zip(predictions.classes, counts.tolist(), strict=True))
