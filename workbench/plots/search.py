"""A search: the best trials, the best on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.plots import scales, spread
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout
from workbench.recipe import Train
from workbench.recipe.schema import FieldSpec, specs
from workbench.text import _

if TYPE_CHECKING:
    from workbench.trials.searching import Search

MOST_BARS = 12
"""Trials drawn at most: the best ones."""


def draw(result: Search, palette: Palette = LIGHT) -> Figure:
    """Draw the best trials of a search, the best on top, with their spread over the folds."""
    best_trial = result.best
    shown = result.ranking[:MOST_BARS][::-1]
    names = [settings_words(trial.varied) for trial in shown]
    accuracies = [trial.mean or 0.0 for trial in shown]
    heights = [scales.height(value) for value in accuracies]
    apart = [trial.spread or 0.0 for trial in shown]
    best = max(accuracies, default=0.5)
    ticks, labels = scales.accuracy_ticks(best)
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(shown))),
        "x": heights,
        "text": [spread.words(trial) for trial in shown],
        "textposition": "inside",
        "insidetextanchor": "start",
        "textfont": {"color": palette.on_accent},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [
                scales.height(mean + more) - place
                for mean, more, place in zip(accuracies, apart, heights, strict=True)
            ],
            "arrayminus": [
                place - scales.height(mean - less)
                for mean, less, place in zip(accuracies, apart, heights, strict=True)
            ],
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
    around = layout(
        palette,
        finding(result),
        height=130 + 30 * max(1, len(shown)),
        bargap=0.25,
        margin={"l": 24, "r": 24, "t": 48, "b": 48},
        xaxis=axis(
            palette,
            _("accuracy"),
            range=list(scales.accuracy_range(best)),
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
    around["title"] |= {"xref": "container", "x": 0.03}  # names to the left leave it little room
    return {"data": [bars], "layout": around}


def finding(result: Search) -> str:
    """Return what a search has shown, in a sentence."""
    if result.best is None:
        return _("The search is on")
    return _("Best of {count}: {settings}, with {accuracy}").format(
        count=len(result.ranking),
        settings=settings_words(result.best.varied),
        accuracy=spread.words(result.best),
    )


def settings_words(varied: dict[str, Any]) -> str:
    """Return settings as a person reads them: ``learning rate 0.0012, optimiser AdamW``."""
    described = {field.name: field for field in specs(Train)}
    return ", ".join(
        f"{described[name].label} {_value(v, described[name])}" for name, v in varied.items()
    )


def _value(value: Any, field: FieldSpec) -> str:
    labels = {choice.value: choice.label for choice in field.choices}
    return f"{value:.3g}" if isinstance(value, float) else str(labels.get(value, value))
