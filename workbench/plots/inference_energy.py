"""Energy of inference: a bar for each repeat, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, bar_figure
from workbench.profiling.energy.energy import HOW

if TYPE_CHECKING:
    from workbench.profiling.inference_energy import InferenceEnergy


def draw(result: InferenceEnergy, palette: Palette = LIGHT) -> Figure:
    """Draw the joules of each repeat with their interval; an unknown one has no bar."""
    known = [
        (number, energy.joules, energy.low or 0.0, energy.high or 0.0, energy.text)
        for number, energy in enumerate(result.repeats, 1)
        if energy.joules is not None
    ]
    bars = {
        "type": "bar",
        "x": [_("repeat {number}").format(number=number) for number, *_rest in known],
        "y": [joules for _number, joules, *_rest in known],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [high - joules for _number, joules, _low, high, _text in known],
            "arrayminus": [joules - low for _number, joules, low, _high, _text in known],
            "color": palette.ink,
        },
        "customdata": [text for *_rest, text in known],
        "hovertemplate": "%{x}<br>%{customdata}<extra></extra>",
        "marker": {"color": palette.categories[0]},
    }
    title = _("joules for 1,000 examples, {how}").format(how=_(HOW[result.energy.how]))
    yaxis = axis(palette, title, rangemode="tozero")
    return bar_figure(bars, palette, summary(result), yaxis)


def summary(result: InferenceEnergy) -> str:
    """Summarize the energy in one sentence."""
    return _("1,000 examples in batches of {batch}: {energy}").format(
        batch=formatting.count(result.batch), energy=result.energy.text
    )


def rows(result: InferenceEnergy) -> list[dict[str, Any]]:
    """Return a row for each repeat."""
    return [
        {"repeat": number, "examples": examples, "batch": result.batch, **energy.columns()}
        for number, (energy, examples) in enumerate(
            zip(result.repeats, result.examples, strict=True), 1
        )
    ]


def card(result: InferenceEnergy) -> Card:
    """Return the card: the energy and where it comes from."""
    energy = result.energy
    facts = [energy.fact(_("for 1,000 examples"))]
    return Card(summary(result), facts, energy.explanation)
