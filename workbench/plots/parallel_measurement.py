"""Several recipes that were measured at once: size against accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.domain.metric import metric_named
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, log_axis
from workbench.plots.ticks import percent_ticks

if TYPE_CHECKING:
    from workbench.parallel.measure import ParallelMeasurement


def draw(result: ParallelMeasurement, palette: Palette = LIGHT) -> Figure:
    """Draw the size and the metric of each recipe's file."""
    metric = metric_named(result.metric)
    values = [each.accuracy for each in result.results]
    margin = 0.01 + 0.05 * (max(values) - min(values))
    ends = min(values) - margin, max(values) + margin
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": [each.bytes for each in result.results],
        "y": values,
        "hovertext": [
            f"{formatting.nbytes(each.bytes)}<br>{metric.format(each.accuracy)}"
            for each in result.results
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"color": palette.categories[0], "size": 11},
    }
    return {
        "data": [points],
        "layout": layout(
            palette,
            summary(result),
            height=360,
            xaxis=log_axis(palette, _("bytes")),
            yaxis=axis(
                palette,
                _("{metric} on the test split").format(metric=metric.label),
                **({"range": ends, **percent_ticks(*ends)} if metric.is_fraction else {}),
            ),
        ),
    }


def summary(result: ParallelMeasurement) -> str:
    """Return the time as one sentence."""
    work = sum(each.seconds for each in result.results)
    return _("{recipes} recipes on {processes} processes: {work} of work in {time}").format(
        recipes=len(result.results),
        processes=result.processes,
        work=f"{work:.1f} s",
        time=f"{result.seconds:.1f} s",
    )


def rows(result: ParallelMeasurement) -> list[dict[str, Any]]:
    """Return one row for each recipe."""
    return [
        {
            "recipe": each.recipe.to_json(),
            "bytes": each.bytes,
            "value": each.accuracy,
            "digest": each.digest,
            "process": each.rank,
            "seconds": each.seconds,
        }
        for each in result.results
    ]


def card(result: ParallelMeasurement) -> Card:
    """Return the result in brief."""
    metric = metric_named(result.metric)
    facts = [
        (formatting.nbytes(each.bytes), metric.format(each.accuracy)) for each in result.results
    ]
    return Card(summary(result), facts)
