"""Learning curves of several trials: validation metric by step or by second of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from workbench import formatting
from workbench.display import Card
from workbench.errors import InputError
from workbench.i18n import _, mark as N_
from workbench.plots import scales, spread
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.profiling.energy.energy import HOW, Energy

if TYPE_CHECKING:
    from workbench.experiments.race import Race
    from workbench.experiments.trial import Point, Trial

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
ENDINGS = (("diverged", N_("{name} (diverged)")), ("stopped early", N_("{name} (stopped early)")))
MIN_BEST = 0.5
"""The axis of a fraction reaches at least this value, so that small ones do not look large."""
By = Literal["step", "second", "joule"]
BY: dict[By, str] = {
    "step": N_("steps"),
    "second": N_("seconds of training"),
    "joule": N_("joules of training"),
}


@dataclass(frozen=True)
class Curve:
    """One trial at its validation checks: mean, minimum and maximum over its repeats."""

    positions: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def draw(race: Race, by: By = "step", palette: Palette = LIGHT) -> Figure:
    """Draw the validation metric of each trial by step, or by second or joule of training.

    A line is the mean over repeats; its band reaches from the minimum to the maximum.

    Raises
    ------
    InputError
        If the energy of a trial is not known.
    """
    repeats = {name: [trial for trial in race.trials if trial.name == name] for name in race.names}
    by_name = {name: mean_curve(trials, by) for name, trials in repeats.items()}
    values = [value for curve in by_name.values() for value in (*curve.high, *curve.low)]
    minimum = [MIN_BEST] if race.metric.is_fraction else []
    up = scales.Axis.over(race.metric, values + minimum)
    ticks, labels = up.ticks
    data: list[dict[str, Any]] = []
    for number, (name, curve) in enumerate(by_name.items()):
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
            xaxis=axis(palette, _axis_title(race, by), rangemode="tozero"),
            yaxis=axis(
                palette,
                _("{metric} on validation examples, estimated").format(metric=race.metric.label),
                range=list(up.range),
                tickvals=ticks,
                ticktext=labels,
            ),
        ),
    }


def _axis_title(race: Race, by: By) -> str:
    """Return the title of the horizontal axis; with energies, how they are known."""
    energies = [trial.energy for trial in race.trials if trial.energy is not None]
    if by != "joule" or not energies:
        return _(BY[by])
    return _("{title}, {how}").format(title=_(BY[by]), how=_(HOW[Energy.total(energies).how]))


def _position(point: Point, by: By) -> float:
    if by == "step":
        return point.step
    if by == "second":
        return point.seconds
    if point.energy.joules is None:
        raise InputError(
            f"The energy of the training is not known. {' '.join(point.energy.notes)}".strip(),
            code="energy.not_known",
        )
    return point.energy.joules


def mean_curve(trials: Sequence[Trial], by: By) -> Curve:
    """Return the curve over the validation checks that the repeats of one trial reached."""
    by_step: dict[int, list[Point]] = {}
    for trial in trials:
        for point in trial.points:
            by_step.setdefault(point.step, []).append(point)
    checks = [by_step[step] for step in sorted(by_step)]
    positions = [fmean(_position(point, by) for point in points) for points in checks]
    values = [[point.value for point in points] for points in checks]
    return Curve(
        tuple(positions),
        tuple(map(fmean, values)),
        tuple(map(min, values)),
        tuple(map(max, values)),
    )


def summary(race: Race) -> str:
    """Summarize a race in one sentence."""
    if not race.over:
        return _("The trials are running: no result yet")
    first, *others = race.ranking
    if not others:
        return _("{name} reaches {figure}").format(
            name=first.name, figure=spread.format_mean(first, race.metric)
        )
    second = others[0]
    lead = abs((first.mean or 0.0) - (second.mean or 0.0))
    shown = race.metric.difference(first.mean or 0.0, second.mean or 0.0)
    if lead <= max(first.spread or 0.0, second.spread or 0.0):
        text = _("{name} reaches {figure}; its lead over {other} is within the spread")
    else:
        text = _("{name} wins with {figure}, {lead} ahead of {other}")
    return text.format(
        name=first.name,
        figure=spread.format_mean(first, race.metric),
        lead=shown.lstrip(f"+{formatting.MINUS}"),
        other=second.name,
    )


def rows(race: Race) -> list[dict[str, Any]]:
    """Return the data of a race as a table: a row for each validation check."""
    return [
        {
            "contestant": trial.name,
            "repeat": trial.repeat,
            "step": point.step,
            "seconds": point.seconds,
            "loss": point.loss,
            race.metric.name: point.value,
            **point.energy.columns(),
        }
        for trial in race.trials
        for point in trial.points
    ]


def card(race: Race) -> Card:
    """Return the card of a race: its candidates, best first."""
    ranking = [entry for entry in race.ranking if entry.values]
    facts = [(spread.format_mean(entry, race.metric), entry.name) for entry in ranking]
    energies = [trial.energy for trial in race.trials if trial.energy is not None]
    if energies:
        facts.append(Energy.total(energies).fact(_("energy of all trainings")))
    return Card(summary(race), facts)


def _line(
    curve: Curve, number: int, label: str, up: scales.Axis, palette: Palette
) -> list[dict[str, Any]]:
    colors = palette.categories
    color = colors[number % len(colors)]
    # The dashes shift by one each time the colors repeat, so that every pair is unique.
    dash = DASHES[(number + number // len(colors)) % len(DASHES)]
    heights = [up.height(value) for value in curve.mean]
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": [*curve.positions, *reversed(curve.positions)],
        "y": [up.height(value) for value in (*curve.high, *reversed(curve.low))],
        "fill": "toself",
        "fillcolor": _translucent(color),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": label,
        "x": list(curve.positions),
        "y": heights,
        "customdata": [up.metric.format(value) for value in curve.mean],
        "hovertemplate": "%{fullData.name}<br><b>%{customdata}</b> (%{x:.3s})<extra></extra>",
        "line": {"color": color, "width": 2.5, "dash": dash},
    }
    return [band, line] if curve.low != curve.high else [line]


def _translucent(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"


def _label(race: Race, name: str) -> str:
    states = {trial.state for trial in race.trials if trial.name == name}
    for state, text in ENDINGS:
        if state in states:
            return _(text).format(name=name)
    return name
