"""Trainings side by side: their figure on validation by step, or by second of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from workbench.i18n import _
from workbench.i18n import mark as N_
from workbench.plots import scales, spread
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend

if TYPE_CHECKING:
    from workbench.experiments.race import Race
    from workbench.experiments.trial import Point, Trial

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
ENDINGS = (("diverged", N_("{name} (diverged)")), ("stopped early", N_("{name} (stopped early)")))
LEAST_BEST = 0.5
"""A share up to which the axis reaches at least, so that small ones do not look large."""
BY = {"step": N_("steps"), "second": N_("seconds of training")}


@dataclass(frozen=True)
class Curve:
    """A contestant at its looks: the mean over its repeats, the lowest and the highest."""

    places: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def draw(race: Race, by: Literal["step", "second"] = "step", palette: Palette = LIGHT) -> Figure:
    """Draw the figure of each contestant on validation by step or by second of training.

    A line is the mean over repeats, its band reaches from the lowest to the highest.
    """
    each = {name: [lane for lane in race.trials if lane.name == name] for name in race.names}
    found = {name: mean_curve(lanes, by) for name, lanes in each.items()}
    seen = [value for curve in found.values() for value in (*curve.high, *curve.low)]
    least = [LEAST_BEST] if race.metric.share else []
    up = scales.Axis.over(race.metric, seen + least)
    ticks, labels = up.ticks
    data: list[dict[str, Any]] = []
    for number, (name, curve) in enumerate(found.items()):
        data += _line(curve, number, _label(race, name), up, palette)
    return {
        "data": data,
        "layout": layout(
            palette,
            summary(race),
            height=420,
            showlegend=True,
            margin={"l": 64, "r": 24, "t": 84, "b": 48},
            legend=legend(),
            xaxis=axis(palette, _(BY[by]), rangemode="tozero"),
            yaxis=axis(
                palette,
                _("{metric} on validation examples, estimated").format(metric=_(race.metric.name)),
                range=list(up.range),
                tickvals=ticks,
                ticktext=labels,
            ),
        ),
    }


def mean_curve(trials: Sequence[Trial], by: Literal["step", "second"]) -> Curve:
    """Return the curve over the looks at which the repeats `lanes` of one contestant arrived."""
    looks: dict[int, list[Point]] = {}
    for lane in trials:
        for point in lane.points:
            looks.setdefault(point.step, []).append(point)
    met = [looks[step] for step in sorted(looks)]
    places = [fmean(p.step if by == "step" else p.seconds for p in points) for points in met]
    seen = [[point.value for point in points] for points in met]
    return Curve(
        tuple(places),
        tuple(fmean(one) for one in seen),
        tuple(min(one) for one in seen),
        tuple(max(one) for one in seen),
    )


def summary(race: Race) -> str:
    """Return what a race has shown, in a sentence."""
    if not race.over:
        return _("Who learns best? The race is on")
    first, *others = race.ranking
    if not others:
        return _("{name} reaches {figure}").format(
            name=first.name, figure=spread.format_mean(first, race.metric)
        )
    second = others[0]
    lead = abs((first.mean or 0.0) - (second.mean or 0.0))
    if lead <= max(first.spread or 0.0, second.spread or 0.0):
        text = _("{name} reaches {figure}, too close to {other} to call")
    else:
        text = _("{name} wins with {figure}, {lead} ahead of {other}")
    return text.format(
        name=first.name,
        figure=spread.format_mean(first, race.metric),
        lead=race.metric.change(lead).lstrip("+"),
        other=second.name,
    )


def rows(race: Race) -> list[dict[str, Any]]:
    """Return the data of a race as a table, a row for each look."""
    return [
        {
            "contestant": lane.name,
            "repeat": lane.repeat,
            "step": point.step,
            "seconds": point.seconds,
            "loss": point.loss,
            race.metric.name: point.value,
        }
        for lane in race.trials
        for point in lane.points
    ]


def _line(
    curve: Curve, number: int, label: str, up: scales.Axis, palette: Palette
) -> list[dict[str, Any]]:
    colours = palette.categories
    colour = colours[number % len(colours)]
    # Once the colours begin anew, the dashes move on by one, so that no pair comes twice.
    dash = DASHES[(number + number // len(colours)) % len(DASHES)]
    heights = [up.height(value) for value in curve.mean]
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": [*curve.places, *reversed(curve.places)],
        "y": [up.height(value) for value in (*curve.high, *reversed(curve.low))],
        "fill": "toself",
        "fillcolor": _faint(colour),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": label,
        "x": list(curve.places),
        "y": heights,
        "customdata": [up.metric.format(value) for value in curve.mean],
        "hovertemplate": "%{fullData.name}<br><b>%{customdata}</b> (%{x:.3s})<extra></extra>",
        "line": {"color": colour, "width": 2.5, "dash": dash},
    }
    return [band, line] if curve.low != curve.high else [line]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"


def _label(race: Race, name: str) -> str:
    states = {lane.state for lane in race.trials if lane.name == name}
    for state, text in ENDINGS:
        if state in states:
            return _(text).format(name=name)
    return name
