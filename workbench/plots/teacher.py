"""What a teacher finds plausible for one example at a temperature."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from textwrap import wrap
from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots.palette import Palette
from workbench.plots.sheet import escape_text
from workbench.plots.style import Figure, axis, layout
from workbench.zoo.reviews.words import detokenize

MOST_BARS = 50
"""Of more classes the most plausible ones are drawn, and the label's."""
LETTERS = 40
"""How many of a text's letters stand in a line above the picture, on a phone too."""


def soften(outputs: Sequence[float], temperature: float) -> list[float]:
    """Return the probabilities of a model's outputs at a temperature above 0."""
    top = max(outputs)
    powers = [exp((value - top) / temperature) for value in outputs]
    total = sum(powers)
    return [power / total for power in powers]


def draw(
    outputs: Sequence[float],
    classes: Sequence[str],
    true: int,
    temperature: float,
    palette: Palette,
) -> Figure:
    """Draw what the teacher finds plausible for one example at a temperature.

    Of more than `MOST_BARS` classes those that it finds most plausible, and the label's.

    Parameters
    ----------
    outputs
        The teacher's logits, one for each class.
    classes
        Their names.
    true
        The number of the class that the label gives.
    """
    shares = soften(outputs, temperature)
    finding = _doubt(shares, classes, temperature)
    best = sorted(range(len(shares)), key=lambda number: -shares[number])[:MOST_BARS]
    drawn = sorted({*best, true})
    right = [number == true for number in drawn]
    shares, classes = [shares[number] for number in drawn], [classes[number] for number in drawn]
    names = [_("{name} (label)").format(name=c) if r else c for c, r in _pairs(classes, right)]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": shares,
                "y": names,
                "text": [formatting.percent(share) for share in shares],
                "textposition": "outside",
                "textfont": {"color": palette.muted, "size": 12},
                "cliponaxis": False,
                "hovertemplate": "%{y}: <b>%{text}</b><extra></extra>",
                "marker": {
                    "color": [palette.accent if r else palette.past for r in right],
                    "line": {"width": 0},
                    "pattern": {
                        "shape": ["/" if r else "" for r in right],
                        "fillmode": "overlay",
                        "fgcolor": palette.panel,
                        "fgopacity": 0.5,
                        "size": 6,
                        "solidity": 0.25,
                    },
                },
            }
        ],
        "layout": layout(
            palette,
            finding,
            bargap=0.35,
            xaxis=axis(
                palette, _("the teacher's probability"), range=[0, 1.1], tickformat=".0%", nticks=6
            ),
            yaxis=axis(palette, "", autorange="reversed", showgrid=False, automargin=True, dtick=1),
        ),
    }


def with_example(figure: Figure, content: Any) -> Figure:
    """Return `figure` with the example itself: on its right, or above it where it is a text.

    On its left the names of the classes would lie over it where the page is narrow.

    Parameters
    ----------
    content : uint8 array [h, w], float32 array [frames, features], tuple of str, or None
        An image, a sound, the words of a text; or nothing that can be shown.
    """
    if content is None:
        return figure
    if isinstance(content, tuple):
        return _under_text(figure, content)
    sound = content.dtype.kind == "f"
    hidden = {"visible": False, "fixedrange": True}
    picture = {
        "type": "heatmap",
        "z": (content.T[::-1] if sound else content).tolist(),
        "xaxis": "x2",
        "yaxis": "y2",
        "colorscale": [[0, "rgba(127,127,127,0)"], [1, "rgb(127,127,127)"]],
        "showscale": False,
        "hoverinfo": "skip",
    }
    laid = figure["layout"]
    return {
        "data": [*figure["data"], picture],
        "layout": {
            **laid,
            "xaxis": {**laid["xaxis"], "domain": [0, 0.72], "nticks": 3},
            "xaxis2": {**hidden, "domain": [0.78, 1], "anchor": "y2"},
            "yaxis2": {
                **hidden,
                "domain": [0, 1],
                "anchor": "x2",
                "autorange": "reversed",
                **({} if sound else {"scaleanchor": "x2"}),
            },
        },
    }


def _under_text(figure: Figure, words: Sequence[str]) -> Figure:
    laid = figure["layout"]
    lines = wrap(detokenize(words), LETTERS, max_lines=2, placeholder=" …")
    note = {
        "text": "<br>".join(escape_text(line) for line in lines),
        "x": 1,  # from the right: on the left the names of the classes take what room they need
        "xref": "paper",
        "xanchor": "right",
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "yshift": 8,
        "align": "left",
        "showarrow": False,
        "font": {"size": 12},
    }
    margin = {**laid["margin"], "t": laid["margin"]["t"] + 44}
    return {**figure, "layout": {**laid, "margin": margin, "annotations": [note]}}


def _pairs(classes: Sequence[str], right: Sequence[bool]) -> zip[tuple[str, bool]]:
    return zip(classes, right, strict=True)


def _doubt(shares: Sequence[float], classes: Sequence[str], temperature: float) -> str:
    first, second = sorted(range(len(shares)), key=lambda n: -shares[n])[:2]
    return _("At temperature {t}: {first} {most}, and {second} {next}").format(
        t=f"{temperature:g}",
        first=classes[first],
        most=formatting.percent(shares[first], 0),
        second=classes[second],
        next=formatting.percent(shares[second], 0),
    )
