"""Layers against the peaks of the machine: multiply-adds per second over multiply-adds per byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _, plural
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, layout, legend, log_axis

if TYPE_CHECKING:
    from workbench.profiling.roofline import Roofline, RooflineLayer

HEIGHT = 400
GIGA = 1e9
MARGIN = 3.0
"""How far the roof extends beyond the outermost layers, as a factor."""


def draw(result: Roofline, palette: Palette = LIGHT) -> Figure:
    """Draw the roof and a point for each layer that multiplies."""
    groups = [
        (_("waits for memory"), True, palette.categories[0], "circle"),
        (_("waits for arithmetic"), False, palette.categories[1], "diamond"),
    ]
    return {
        "data": [
            _roof(result, palette),
            *(_points(result, *group, palette) for group in groups),
        ],
        "layout": layout(
            palette,
            title(result),
            height=HEIGHT,
            showlegend=True,
            legend=legend(),
            hovermode="closest",
            margin={"l": 76, "r": 24, "t": 76, "b": 56},
            xaxis=log_axis(palette, _("multiply-adds per byte")),
            yaxis=log_axis(palette, _("billion multiply-adds per second")),
        ),
    }


def title(result: Roofline) -> str:
    """Return what the picture shows, as one sentence."""
    waiting = sum(layer.memory for layer in result.layers)
    return plural(
        "{waiting} of {count} layer can only wait for memory, with a batch of {batch}",
        "{waiting} of {count} layers can only wait for memory, with a batch of {batch}",
        len(result.layers),
    ).format(waiting=waiting, count=len(result.layers), batch=result.batch)


def rows(result: Roofline) -> list[dict[str, Any]]:
    """Return one row for each layer."""
    return [
        {
            "layer": layer.name,
            "kind": layer.kind,
            "macs": layer.macs,
            "bytes": layer.bytes,
            "macs_per_byte": layer.intensity,
            "milliseconds": 1e3 * layer.seconds,
            "least_milliseconds": 1e3 * layer.least_seconds,
            "waits_for": "memory" if layer.memory else "arithmetic",
            "overhead": layer.overhead,
        }
        for layer in result.layers
    ]


def card(result: Roofline) -> Card:
    """Return the result in brief."""
    peaks = result.peaks
    facts = [
        (formatting.number(peaks.macs_per_second / GIGA), _("billion multiply-adds per second")),
        (f"{formatting.size(peaks.bytes_per_second)}/s", _("copied through memory")),
        (formatting.number(peaks.ridge), _("multiply-adds per byte where both take as long")),
    ]
    return Card(title(result), facts, notes(result))


def notes(result: Roofline) -> list[str]:
    """Return what is worth knowing about the layers and the measurement."""
    sentences = []
    slow = [layer.name for layer in result.layers if layer.overhead]
    if slow:
        sentences.append(
            _(
                "Neither peak explains the time of {names}: calling a layer, and work that "
                "does not multiply, take most of it."
            ).format(names=formatting.names(slow, 4))
        )
    outside = [layer.name for layer in result.layers if not layer.macs]
    if outside:
        sentences.append(
            _("Not in the picture, because without multiply-adds: {names}.").format(
                names=formatting.names(outside, 4)
            )
        )
    sentences.append(
        _(
            "The peaks are a product of matrices and a copy of 64 MB on one thread. Data that stay "
            "in a cache move faster than that copy."
        )
    )
    if result.peaks.busy:
        sentences.append(_("Other work disturbed the measurement: the machine can do more."))
    return sentences


def _roof(result: Roofline, palette: Palette) -> dict[str, Any]:
    peaks = result.peaks
    intensities = [layer.intensity for layer in result.layers if layer.macs]
    low = min([*intensities, peaks.ridge]) / MARGIN
    high = max([*intensities, peaks.ridge]) * MARGIN
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("peaks of this machine"),
        "x": [low, peaks.ridge, high],
        "y": [low * peaks.bytes_per_second / GIGA, *[peaks.macs_per_second / GIGA] * 2],
        "line": {"color": palette.muted, "width": 2},
        "hoverinfo": "skip",
    }


def _points(
    result: Roofline, name: str, memory: bool, color: str, symbol: str, palette: Palette
) -> dict[str, Any]:
    layers = [layer for layer in result.layers if layer.macs and layer.memory == memory]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [layer.intensity for layer in layers],
        "y": [layer.macs / layer.seconds / GIGA for layer in layers],
        "hovertext": [_hover(layer) for layer in layers],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "color": color,
            "symbol": symbol,
            "size": 11,
            "line": {"color": palette.ink, "width": 1},
        },
    }


def _hover(layer: RooflineLayer) -> str:
    times = _("{time}, at least {least}").format(
        time=formatting.milliseconds(1e3 * layer.seconds),
        least=formatting.milliseconds(1e3 * layer.least_seconds),
    )
    return "<br>".join(
        [
            f"{layer.name} ({layer.kind})",
            _("{count} multiply-adds").format(count=formatting.count(layer.macs)),
            formatting.nbytes(layer.bytes),
            times,
        ]
    )
