"""The plan of a module: its memory by kind, and the chip's capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots import memory
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.plan import FITS
from workbench.plots.style import Figure

if TYPE_CHECKING:
    from workbench.planner.module_plan import ModulePlan


def draw(plan: ModulePlan, palette: Palette = LIGHT) -> Figure:
    """Draw the peaks of training and inference, and the chip's capacity as a line."""
    figure = memory.draw(plan.memory, palette)
    figure["layout"]["shapes"] = [
        {
            "type": "line",
            "x0": plan.chip.usable,
            "x1": plan.chip.usable,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"color": palette.ink, "dash": "dash"},
        }
    ]
    return figure


def rows(plan: ModulePlan) -> list[dict[str, Any]]:
    """Return the memory as a table."""
    return memory.rows(plan.memory)


def card(plan: ModulePlan) -> Card:
    """Return the card: the answers, and what the peaks are."""
    facts = [
        (
            formatting.titled(_(memory.PHASES[phase]), _(FITS[plan.fits(phase)])),
            _("{used} of {usable}, predicted ± 10\u202f%").format(
                used=formatting.size(plan.used(phase)), usable=formatting.size(plan.chip.usable)
            ),
        )
        for phase in ("training", "inference")
    ]
    note = _("A batch of {batch} with {optimizer}; tensors and the driver.").format(
        batch=formatting.count(plan.memory.batch), optimizer=plan.memory.optimizer
    )
    return Card(formatting.listed([plan.memory.name, plan.chip.label]), facts, [note])
