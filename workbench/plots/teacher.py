"""A teacher's softened class probabilities for one example."""

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
from workbench.plots.ticks import percent_ticks
from workbench.zoo.reviews.words import detokenize

MAX_BARS = 50
"""Of more classes, only the most probable ones and the label are drawn."""
LETTERS = 40
"""Letters in one line of a text above the figure, also on a phone."""


def soften(outputs: Sequence[float], temperature: float) -> list[float]:
    """Return the softmax of logits at a temperature above 0 (Hinton et al., arXiv 1503.02531)."""
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
    """Draw the teacher's class probabilities for one example at a temperature.

    Of more than `MAX_BARS` classes, only the most probable ones and the label are drawn.

    Parameters
    ----------
    outputs
        The teacher's logits, one for each class.
    classes
        The names of the classes.
    true
        The index of the label's class.
    temperature
        The softmax temperature, above 0.
    palette
        The colors.
    """
    shares = soften(outputs, temperature)
    title = _summary(shares, classes, temperature)
    best = sorted(range(len(shares)), key=lambda number: -shares[number])[:MAX_BARS]
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
                "textfont": {"color": palette.muted, "size": 13},
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
            title,
            bargap=0.35,
            xaxis=axis(
                palette, _("the teacher's probability"), range=[0, 1.1], **percent_ticks(0, 1)
            ),
            yaxis=axis(palette, "", autorange="reversed", showgrid=False, automargin=True, dtick=1),
        ),
    }


def with_example(figure: Figure, content: Any) -> Figure:
    """Return `figure` with the example on its right, or above it for a text.

    On the left, the class names would overlap it on a narrow page.

    Parameters
    ----------
    content : uint8 array [h, w], float32 array [frames, features], tuple of str, or None
        An image, a sound, the words of a text, or None if it cannot be displayed.
    """
    if content is None:
        return figure
    if isinstance(content, tuple):
        return _with_text(figure, content)
    sound = content.dtype.kind == "f"
    hidden = {"visible": False, "fixedrange": True}
    example = {
        "type": "heatmap",
        "z": (content.T[::-1] if sound else content).tolist(),
        "xaxis": "x2",
        "yaxis": "y2",
        "colorscale": [[0, "rgba(127,127,127,0)"], [1, "rgb(127,127,127)"]],
        "showscale": False,
        "hoverinfo": "skip",
    }
    figure_layout = figure["layout"]
    return {
        "data": [*figure["data"], example],
        "layout": {
            **figure_layout,
            "xaxis": {**figure_layout["xaxis"], "domain": [0, 0.72], "nticks": 3},
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


def _with_text(figure: Figure, words: Sequence[str]) -> Figure:
    figure_layout = figure["layout"]
    lines = wrap(detokenize(words), LETTERS, max_lines=2, placeholder=" …")
    note = {
        "text": "<br>".join(escape_text(line) for line in lines),
        "x": 1,  # from the right, since the class names on the left vary in width
        "xref": "paper",
        "xanchor": "right",
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "yshift": 8,
        "align": "left",
        "showarrow": False,
        "font": {"size": 13},
    }
    margin = {**figure_layout["margin"], "t": figure_layout["margin"]["t"] + 44}
    return {**figure, "layout": {**figure_layout, "margin": margin, "annotations": [note]}}


def _pairs(classes: Sequence[str], right: Sequence[bool]) -> zip[tuple[str, bool]]:
    return zip(classes, right, strict=True)


def _summary(shares: Sequence[float], classes: Sequence[str], temperature: float) -> str:
    first, second = sorted(range(len(shares)), key=lambda n: -shares[n])[:2]
    return _("At temperature {t}: {first} {most}, and {second} {next}").format(
        t=f"{temperature:g}",
        first=classes[first],
        most=formatting.percent(shares[first], 0),
        second=classes[second],
        next=formatting.percent(shares[second], 0),
    )
