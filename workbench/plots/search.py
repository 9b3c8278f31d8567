"""The best trials of a hyperparameter search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots import scales, spread
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Train
from workbench.recipe.schema import FieldSpec, specs

if TYPE_CHECKING:
    from workbench.experiments.search import Search

MAX_BARS = 12
"""How many of the best trials are drawn."""
MAX_CARD = 3
"""How many of the best trials the card lists."""


def draw(result: Search, palette: Palette = LIGHT) -> Figure:
    """Draw the best trials of a search, best on top, with the spread over folds."""
    best_trial = result.best
    shown = result.ranking[:MAX_BARS][::-1]
    names = [format_settings(trial.params) for trial in shown]
    means = [trial.mean or 0.0 for trial in shown]
    up = scales.Axis.over(result.metric, means)
    (bottom, top), (ticks, labels) = up.range, up.ticks
    heights = [up.height(mean) for mean in means]
    ends = [
        sorted((up.height(mean - trial.spread), up.height(mean + trial.spread)))
        if trial.spread is not None
        else (height, height)
        for mean, height, trial in zip(means, heights, shown, strict=True)
    ]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(shown))),
        "base": bottom,
        "x": [height - bottom for height in heights],
        "text": [spread.format_mean(trial, result.metric) for trial in shown],
        "textposition": "inside",
        "insidetextanchor": "start",
        "textfont": {"color": palette.on_accent},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [high - at for at, (_, high) in zip(heights, ends, strict=True)],
            "arrayminus": [at - low for at, (low, _) in zip(heights, ends, strict=True)],
            "color": palette.ink,
            "visible": result.jobs > 1,
        },
        "customdata": [
            "<br>".join(filter(None, [name, trial.problem]))
            for name, trial in zip(names, shown, strict=True)
        ],
        "hovertemplate": "%{customdata}<br>%{text}<extra></extra>",
        "marker": {
            "color": [palette.accent if trial is best_trial else palette.muted for trial in shown],
        },
    }
    figure_layout = layout(
        palette,
        summary(result),
        height=130 + 30 * max(1, len(shown)),
        bargap=0.25,
        margin={"l": 24, "r": 24, "t": 48, "b": 48},
        xaxis=axis(
            palette,
            result.metric.label,
            range=[bottom, top],
            tickvals=ticks,
            ticktext=labels,
        ),
        yaxis=axis(
            palette,
            "",
            showgrid=False,
            automargin=True,
            tickvals=list(range(len(shown))),
            ticktext=names,
        ),
    )
    # long trial names on the left leave the title little room
    figure_layout["title"] |= {"xref": "container", "x": 0.03}
    return {"data": [bars], "layout": figure_layout}


def summary(result: Search) -> str:
    """Summarize a search in one sentence."""
    if result.best is None:
        return _("The search is running: no result yet")
    return _("Best of {count}: {settings}, with {figure}").format(
        count=len(result.ranking),
        settings=format_settings(result.best.params),
        figure=spread.format_mean(result.best, result.metric),
    )


def rows(result: Search) -> list[dict[str, Any]]:
    """Return a row for each completed trial, best first."""
    return [
        {
            **trial.params,
            result.metric.name: trial.mean,
            "spread": trial.spread,
            "problem": trial.problem,
            **(trial.energy or Energy.unknown()).columns(),
        }
        for trial in result.ranking
    ]


def card(result: Search) -> Card:
    """Return the card of a search: its best trials."""
    facts = [
        (spread.format_mean(trial, result.metric), format_settings(trial.params))
        for trial in result.ranking[:MAX_CARD]
    ]
    return Card(summary(result), facts)


def format_settings(params: dict[str, Any]) -> str:
    """Return settings with their labels: ``learning rate 0.0012, optimizer AdamW``."""
    fields = {field.name: field for field in specs(Train)}
    return formatting.listed(
        f"{fields[name].label} {_value(v, fields[name])}" for name, v in params.items()
    )


def _value(value: Any, field: FieldSpec) -> str:
    labels = {choice.value: choice.label for choice in field.choices}
    return f"{value:.3g}" if isinstance(value, float) else str(labels.get(value, value))
