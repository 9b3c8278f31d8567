"""The numbers of a plan with their intervals, as texts."""

from __future__ import annotations

from workbench import formatting
from workbench.i18n import _
from workbench.planner.estimate import Estimate
from workbench.planner.fits import MARGIN, SHARED_MARGIN
from workbench.planner.results import InferencePlan, TrainingPlan

Plan = TrainingPlan | InferencePlan


def numbers(plan: Plan, tokens: float, price: float) -> list[dict[str, str]]:
    """Return memory, times, rates, energy and money; each is predicted, with an interval.

    A time has a brief label too, for narrow windows.

    Parameters
    ----------
    plan
        The plan.
    tokens
        Tokens of a complete training.
    price
        Money per chip and hour, or 0.
    """
    rest = [rate(plan)]
    if plan.energy is not None:
        rest.append(energy(plan))
    if isinstance(plan, TrainingPlan):
        rest += training(plan, tokens, price)
    elif price:
        label = _("for a million tokens at the price given, predicted; {low} to {high}")
        rest.append(row(plan.money_per_million(price), label))
    rows = [(*memory(plan), ""), *times(plan), *((*row, "") for row in rest)]
    return [{"value": value, "label": label, "brief": brief} for value, label, brief in rows]


def memory(plan: Plan) -> tuple[str, str]:
    """Return the memory of a chip."""
    values = plan.as_dict()
    used = _("{used} of {usable} GiB").format(
        used=f"{values['memory_gib']['total'] + values['memory_gib']['context']:,.1f}",
        usable=f"{values['usable_gib']:,.1f}",
    )
    margin = MARGIN if values["chips"] == 1 else SHARED_MARGIN
    label = _("predicted peak of a chip with the driver, ± {margin}")
    return used, label.format(margin=formatting.percent(margin, 0))


def times(plan: Plan) -> list[tuple[str, str, str]]:
    """Return the time of a step, or those of reading and of a token, with brief labels."""
    values = plan.as_dict()
    labels = {
        "step": _("per step"),
        "prefill": _("to read the context"),
        "decode": _("per token of the batch"),
    }
    rows = []
    for name, label in labels.items():
        if f"{name}_ms" in values:
            middle, low, high = (
                duration(values[f"{name}_ms{end}"]) for end in ("", "_low", "_high")
            )
            bounds = _("{label}, predicted; 80\u202f% interval {low} to {high}").format(
                label=label, low=low, high=high
            )
            rows.append((middle, bounds, label))
    return rows


def row(estimate: Estimate, label: str) -> tuple[str, str]:
    """Return an estimate and a label with its bounds."""
    low, high = amount(estimate.low), amount(estimate.high)
    return amount(estimate.value), label.format(low=low, high=high)


def rate(plan: Plan) -> tuple[str, str]:
    """Return the tokens per second."""
    return row(plan.throughput, _("tokens per second, predicted; {low} to {high}"))


def energy(plan: Plan) -> tuple[str, str]:
    """Return the energy of a token; the chip's power is published."""
    assert plan.energy is not None
    assert plan.watts is not None
    tokens = plan.job.tokens_per_step if isinstance(plan, TrainingPlan) else 1
    label = _("joules per token, predicted; {low} to {high}; {watts} W per chip")
    watts = label.replace("{watts}", f"{plan.watts:,.0f}")
    return row(plan.energy.times(1 / tokens), watts)


def training(plan: TrainingPlan, tokens: float, price: float) -> list[tuple[str, str]]:
    """Return days, energy and money of a complete training."""
    labels = {
        "days": _("days for all tokens, predicted; {low} to {high}"),
        "kwh": _("kWh of the chips for all tokens, predicted; {low} to {high}"),
        "money": _("for all tokens at the price given, predicted; {low} to {high}"),
    }
    costs = plan.costs(tokens, price or None)
    return [row(cost, label) for name, label in labels.items() if (cost := costs[name])]


def amount(value: float) -> str:
    """Format a number with three digits, or in full above 100."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def duration(milliseconds: float) -> str:
    """Format a duration: milliseconds below ten seconds, then seconds."""
    if milliseconds < 10_000:
        return formatting.milliseconds(milliseconds)
    return _("{seconds} s").format(seconds=f"{milliseconds / 1000:,.1f}")
