"""Predicted peak memory: bars of training and inference, stacked by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _, mark as N_
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.plots.ticks import byte_ticks
from workbench.profiling.memory.memory import KINDS

if TYPE_CHECKING:
    from workbench.profiling.memory.memory import Memory

PHASES = {"training": N_("training step"), "inference": N_("inference")}


def draw(memory: Memory, palette: Palette = LIGHT) -> Figure:
    """Draw the peak of a training step and of inference, stacked by kind."""
    colors = (*palette.categories, palette.accent, palette.ink)
    peaks = {name: getattr(memory, name).bytes for name in PHASES}
    most = max(sum(each.values()) for each in peaks.values())
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": _(label),
            "y": [_(PHASES[phase]) for phase in PHASES],
            "x": [peaks[phase][kind] for phase in PHASES],
            "customdata": [formatting.size(peaks[phase][kind]) for phase in PHASES],
            "hovertemplate": "%{fullData.name}<br><b>%{customdata}</b><extra></extra>",
            "marker": {"color": color},
        }
        for (kind, label), color in zip(KINDS.items(), colors, strict=True)
        if any(peaks[phase][kind] for phase in PHASES)
    ]
    return {
        "data": data,
        "layout": layout(
            palette,
            summary(memory),
            height=300,
            barmode="stack",
            showlegend=True,
            margin={"l": 110, "r": 24, "t": 96, "b": 48},
            legend=legend(),
            xaxis=axis(palette, _("bytes at the peak"), rangemode="tozero", **byte_ticks(most)),
            yaxis=axis(palette, "", autorange="reversed", showgrid=False),
        ),
    }


def summary(memory: Memory) -> str:
    """Summarize the prediction in one sentence."""
    return _("{name}: training takes {training}, inference {inference}").format(
        name=memory.name,
        training=formatting.size(memory.training.total),
        inference=formatting.size(memory.inference.total),
    )


def rows(memory: Memory) -> list[dict[str, Any]]:
    """Return a row for each kind of memory, in training and in inference."""
    return [
        {"phase": phase, "kind": kind, "bytes": getattr(memory, phase).bytes[kind]}
        for phase in PHASES
        for kind in KINDS
    ]


def card(memory: Memory) -> Card:
    """Return the card: both peaks and what takes most in training."""
    training = memory.training.bytes
    facts = [
        (formatting.size(memory.training.total), _("peak of a training step, predicted")),
        (formatting.size(memory.inference.total), _("peak of inference, predicted")),
        *(
            (formatting.size(training[kind]), _(label))
            for kind, label in KINDS.items()
            if training[kind]
        ),
    ]
    note = _(
        "Tensors on the CPU for a batch of {batch} with {optimizer}, without PyTorch itself."
    ).format(batch=formatting.count(memory.batch), optimizer=memory.optimizer)
    notes = [note]
    if memory.computed:
        notes.append(_("A copy ran on real values, because what the module does depends on them."))
    return Card(memory.name, facts, notes)
