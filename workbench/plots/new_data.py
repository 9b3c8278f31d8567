"""How well a file predicts new data: the recall of each class, or errors next to guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots.honest_figures import bars
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure

if TYPE_CHECKING:
    from workbench.custom.prediction.evaluate import NewDataReport


def draw(result: NewDataReport, palette: Palette = LIGHT) -> Figure:
    """Draw the recall of each class, or the typical error next to that of the mean."""
    if result.classes:
        return bars(result.figures.recalls, _("Recall by class"), palette)
    values = {_("this file"): result.figures.value, _("always the mean"): result.figures.baseline}
    title = _("Typical error of {name}").format(name=result.target)
    return bars(values, title, palette, is_fraction=False)


def rows(result: NewDataReport) -> list[dict[str, Any]]:
    """Return a row of the confusion matrix for each class, or one of the errors."""
    if not result.classes:
        return [{"examples": result.score.examples, **result.score.figures}]
    return [{"true": name, **counts} for name, counts in result.confusion.items()]


def card(result: NewDataReport) -> Card:
    """Return the figures in brief."""
    facts = [(formatting.count(result.score.examples), _("examples"))]
    facts += [
        (formatting.percent(recall), _("recall of {name}").format(name=name))
        for name, recall in [*result.figures.recalls.items()][:5]
        if recall is not None
    ]
    return Card(result.heading, facts, (*result.figures.sentences, *result.notes))
