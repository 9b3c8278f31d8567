"""A plan: memory by kind against a chip's capacity, as stacked bars, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.i18n import mark as N_
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend

if TYPE_CHECKING:
    from workbench.planner.results import InferencePlan, TrainingPlan

    Plan = TrainingPlan | InferencePlan

HEIGHT = 300


@dataclass(frozen=True)
class Kind:
    """A kind of memory: its key, its label, and a pattern in addition to the color."""

    field: str
    label_id: str
    pattern: str


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
    return bars([(plan.chip.title, values["memory_gib"], values["usable_gib"])], palette)


def bars(chips: Sequence[tuple[str, Mapping[str, float], float]], palette: Palette) -> Figure:
    """Draw one bar of memory by kind for each chip.

    Parameters
    ----------
    chips
        The label of each bar, its GiB by kind, and the chip's capacity in GiB.
    palette
        The colors.
    """
    names = [name for name, _kinds, _usable in chips]
    colors = [*palette.categories, *palette.categories]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": _(kind.label_id),
            "y": names,
            "x": [memory[kind.field] for _name, memory, _usable in chips],
            "marker": {
                "color": color,
                "pattern": {"shape": kind.pattern, "size": 5, "solidity": 0.25},
            },
            "hovertemplate": f"{_(kind.label_id)}: %{{x:,.2f}} GiB<extra></extra>",
        }
        for kind, color in zip(KINDS, colors, strict=False)
        if any(memory[kind.field] for _name, memory, _usable in chips)
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("capacity"),
            "x": [usable for _name, _memory, usable in chips],
            "y": names,
            "marker": {
                "symbol": "line-ns",
                "size": 34,
                "line": {"width": 3, "color": palette.ink},
            },
            "hovertemplate": f"{_('capacity')}: %{{x:,.1f}} GiB<extra></extra>",
        }
    )
    return {
        "data": data,
        "layout": layout(
            palette,
            _("Memory of one chip at the peak"),
            barmode="stack",
            showlegend=True,
            legend=legend(),
            height=HEIGHT + 44 * (len(chips) - 1),
            margin={"l": 60, "r": 24, "t": 96, "b": 48},
            xaxis=axis(palette, _("GiB"), rangemode="tozero"),
            yaxis=axis(palette, "", type="category", automargin=True, autorange="reversed"),
        ),
    }


def rows(plan: Plan) -> list[dict[str, Any]]:
    """Return the memory of a plan as a table."""
    memory = plan.as_dict()["memory_gib"]
    return [{"kind": kind.field, "gib": memory[kind.field]} for kind in KINDS]


def card(plan: Plan) -> Card:
    """Return the card of a plan."""
    values = plan.as_dict()
    facts = [
        (_(FITS[plan.fits]), plan.chip.title),
        (f"{values['memory_gib']['total']:,.1f} GiB", _("at the peak")),
    ]
    labels = {"step": _("per step"), "prefill": _("to read"), "decode": _("per token of the batch")}
    for name, label in labels.items():
        if f"{name}_ms" in values:
            middle, low, high = (
                formatting.milliseconds(values[f"{name}_ms{end}"]) for end in ("", "_low", "_high")
            )
            facts.append((f"{middle} ({low} … {high})", label))
    facts.append((f"{plan.tokens_per_s:,.0f}", _("tokens per second")))
    if values.get("watts"):
        facts.append((f"{values['watts']:,.0f} W", _("per chip, from measured rows")))
    notes = []
    if not plan.is_calibrated:
        notes.append(_("Not calibrated for this chip: the interval is wider."))
    notes += [
        _("Nearest measured row: {row}.").format(row=row["row"])
        for row in values["nearest_rows"][:1]
    ]
    title = f"{plan.architecture.family}, {plan.architecture.parameters:,}"
    return Card(title, facts, notes)
