"""A plan: memory by kind against a chip's capacity, as stacked bars, and its card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _, mark as N_
from workbench.plots.kind import Kind
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend

if TYPE_CHECKING:
    from workbench.planner.results import InferencePlan, TrainingPlan

    Plan: TypeAlias = TrainingPlan | InferencePlan

HEIGHT = 300


KINDS = (
    Kind("weights", N_("weights"), ""),
    Kind("gradients", N_("gradients"), "/"),
    Kind("optimizer", N_("optimizer states"), "x"),
    Kind("activations", N_("activations"), "."),
    Kind("logits", N_("logits"), "-"),
    Kind("kv_cache", N_("key and value cache"), "+"),
    Kind("gathered", N_("gathered layers"), "\\"),
    Kind("buffers", N_("buffers"), "|"),
    Kind("context", N_("driver"), "/"),
)
FITS = {True: N_("fits"), False: N_("does not fit"), None: N_("too close to call")}


def draw(plan: Plan, palette: Palette = LIGHT) -> Figure:
    """Draw the memory of a plan as one bar, and the chip's capacity as a line."""
    values = plan.as_dict()
    memory, usable = values["memory_gib"], values["usable_gib"]
    title = _("{chip}: {used} of {usable} GiB at the predicted peak, {fits}").format(
        chip=plan.chip.label,
        used=f"{memory['total'] + memory['context']:,.1f}",
        usable=f"{usable:,.1f}",
        fits=_(FITS[plan.fits]),
    )
    return bars(memory, usable, title, palette)


def bars(memory: Mapping[str, float], usable: float, title: str, palette: Palette) -> Figure:
    """Draw one bar of memory by kind, and the capacity as a line.

    Parameters
    ----------
    memory, usable
        GiB by kind, and the chip's capacity in GiB.
    title
        What the picture shows.
    palette
        The colors.
    """
    colors = [*palette.categories, *palette.categories]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": _(kind.label_id),
            "y": [""],
            "x": [memory[kind.field]],
            "marker": kind.marker(color, palette),
            "hovertemplate": f"{_(kind.label_id)}: %{{x:,.2f}} GiB<extra></extra>",
        }
        for kind, color in zip(KINDS, colors, strict=False)
        if memory[kind.field]
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("capacity"),
            "x": [usable],
            "y": [""],
            "marker": {
                "symbol": "line-ns",
                "size": 60,
                "line": {"width": 3, "color": palette.ink},
            },
            "hovertemplate": f"{_('capacity')}: %{{x:,.1f}} GiB<extra></extra>",
        }
    )
    return {
        "data": data,
        "layout": layout(
            palette,
            title,
            barmode="stack",
            showlegend=True,
            legend=legend(),
            height=HEIGHT,
            margin={"l": 24, "r": 24, "t": 110, "b": 48},
            xaxis=axis(palette, _("GiB"), rangemode="tozero"),
            yaxis=axis(
                palette, "", type="category", showticklabels=False, ticks="", showgrid=False
            ),
        ),
    }


def rows(plan: Plan) -> list[dict[str, Any]]:
    """Return the memory of a plan as a table."""
    memory = plan.as_dict()["memory_gib"]
    return [{"kind": kind.field, "gib": memory[kind.field]} for kind in KINDS]


def card(plan: Plan) -> Card:
    """Return the card of a plan."""
    values = plan.as_dict()
    memory = values["memory_gib"]
    facts = [
        (_(FITS[plan.fits]), plan.chip.label),
        (f"{memory['total'] + memory['context']:,.1f} GiB", _("at the peak, predicted")),
    ]
    labels = {
        "step": _("per step, predicted, 80\u202f% interval"),
        "prefill": _("to read, predicted, 80\u202f% interval"),
        "decode": _("per token of the batch, predicted, 80\u202f% interval"),
    }
    for name, label in labels.items():
        if f"{name}_ms" in values:
            middle, low, high = (
                formatting.milliseconds(values[f"{name}_ms{end}"]) for end in ("", "_low", "_high")
            )
            facts.append((f"{middle} ({low} … {high})", label))
    facts.append((f"{plan.tokens_per_s:,.0f}", _("tokens per second, predicted")))
    if values.get("watts"):
        facts.append((f"{values['watts']:,.0f} W", _("per chip, predicted")))
    notes = []
    if not plan.is_calibrated:
        notes.append(_("Not calibrated: the interval is wider."))
    notes += [
        _("Nearest measured row: {row}.").format(row=row["row"])
        for row in values["nearest_rows"][:1]
    ]
    title = f"{plan.architecture.family}, {plan.architecture.parameters:,}"
    return Card(title, facts, notes)
