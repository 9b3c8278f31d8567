"""A recommendation: the best recipe, the others, and the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots import study
from workbench.plots.goal import Goal
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure
from workbench.recipe.description import describe

if TYPE_CHECKING:
    from workbench.study.recommendation import Recommendation


def draw(result: Recommendation, palette: Palette = LIGHT) -> Figure:
    """Draw all exactly measured recipes, the limits, and the best."""
    limits = Goal(result.goal.max_bytes, result.goal.floor)
    if not result.choices:
        return study.draw(result.result, palette, limits)
    return study.draw(result.result, palette, limits, result.best, met=result.met)


def rows(result: Recommendation) -> list[dict[str, Any]]:
    """Return a row for each choice."""
    return [
        {
            "recipe": describe(trial.recipe),
            "bytes": trial.bytes,
            "value": trial.value,
            "latency_ms": result.cost(trial).milliseconds,
        }
        for trial in result.choices
    ]


def card(result: Recommendation) -> Card:
    """Return the best with its size, metric and latency, and the reasons."""
    if not result.choices:
        return Card(_("No recipe"), (), result.reasons)
    best, metric = result.best, result.goal.metric
    facts = [
        (formatting.nbytes(best.bytes), _("file")),
        (metric.format(best.value or 0.0), metric.label),
    ]
    if result.latency_ms is not None:
        facts.append((formatting.milliseconds(result.latency_ms), _("one example")))
    if result.energy is not None:
        facts.append((result.energy.amount, _("energy of one example")))
    title = _("No recipe is known to meet the limits")
    if result.met:
        title = _("Meets the limits")
    elif result.violations:
        title = _("No recipe meets the limits")
    return Card(formatting.titled(title, describe(best.recipe)), facts, result.reasons)
