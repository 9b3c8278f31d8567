"""An evaluation on several ranks: the correct predictions of each part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout

if TYPE_CHECKING:
    from workbench.parallel.evaluate import ParallelEvaluation


def draw(result: ParallelEvaluation, palette: Palette = LIGHT) -> Figure:
    """Draw the correct predictions of each rank."""
    names = [_("rank {number}").format(number=rank) for rank in range(len(result.parts))]
    bars = {
        "type": "bar",
        "x": names,
        "y": [correct for correct, _examples in result.parts],
        "text": [formatting.count(correct) for correct, _examples in result.parts],
        "hovertemplate": "%{x}: %{y}<extra></extra>",
        "marker": {"color": palette.categories[0]},
    }
    return {
        "data": [bars],
        "layout": layout(
            palette,
            summary(result),
            height=320,
            xaxis=axis(palette, "", type="category", showgrid=False),
            yaxis=axis(palette, _("correct predictions"), rangemode="tozero"),
        ),
    }


def summary(result: ParallelEvaluation) -> str:
    """Return the count as one sentence."""
    return _("{correct} of {total} correct, on {ranks} ranks").format(
        correct=formatting.count(result.correct),
        total=formatting.count(result.examples),
        ranks=len(result.parts),
    )


def rows(result: ParallelEvaluation) -> list[dict[str, Any]]:
    """Return one row for each rank."""
    return [
        {"rank": rank, "correct": correct, "examples": examples}
        for rank, (correct, examples) in enumerate(result.parts)
    ]


def card(result: ParallelEvaluation) -> Card:
    """Return the result in brief."""
    facts = [
        (formatting.percent(result.accuracy), _("accuracy")),
        (formatting.milliseconds(result.seconds * 1e3), _("elapsed")),
    ]
    return Card(summary(result), facts)
