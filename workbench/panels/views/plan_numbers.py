"""The numbers of a plan with their intervals, as texts."""

from __future__ import annotations

from workbench import formatting
from workbench.i18n import _
from workbench.planner.fits import MARGIN, SHARED_MARGIN
from workbench.planner.power import ERROR
from workbench.planner.results import InferencePlan, TrainingPlan

Plan = TrainingPlan | InferencePlan
MILLION, HOUR = 1e6, 3600


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
    if isinstance(plan, TrainingPlan):
        rest += [*energy(plan), *training(plan, tokens, price)]
    elif price:
        rest.append(text(plan, price))
    rows = [(*memory(plan), ""), *times(plan), *((*row, "") for row in rest)]
    return [{"value": value, "label": label, "brief": brief} for value, label, brief in rows]


def memory(plan: Plan) -> tuple[str, str]:
    """Return the memory of a chip."""
    values = plan.as_dict()
    used = _("{used} of {usable} GiB").format(
        used=f"{values['memory_gib']['total'] + values['memory_gib']['context']:,.1f}",
        usable=f"{values['usable_gib']:,.0f}",
    )
    margin = 100 * (MARGIN if values["chips"] == 1 else SHARED_MARGIN)
    label = _("predicted peak of a chip with the driver, ± {margin} %")
    return used, label.format(margin=f"{margin:.0f}")


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
            bounds = _("{label}, predicted; 80 % interval {low} to {high}").format(
                label=label, low=low, high=high
            )
            rows.append((middle, bounds, label))
    return rows


def rate(plan: Plan) -> tuple[str, str]:
    """Return the tokens per second."""
    low, high = shares(plan)
    label = _("tokens per second, predicted; {low} to {high}").format(
        low=f"{plan.tokens_per_s / high:,.0f}", high=f"{plan.tokens_per_s / low:,.0f}"
    )
    return f"{plan.tokens_per_s:,.0f}", label


def shares(plan: Plan) -> tuple[float, float]:
    """Return the bounds of the time as shares of the predicted time."""
    if isinstance(plan, TrainingPlan):
        bounds, total = plan.interval, plan.seconds.total
    else:
        bounds, total = plan.decode_interval, plan.decode.total
    return bounds.low / total, bounds.high / total


def energy(plan: TrainingPlan) -> list[tuple[str, str]]:
    """Return the energy of a token, if the chip's power is published."""
    if plan.joules is None:
        return []
    joules = plan.joules / plan.job.tokens_per_step
    low, high = shares(plan)
    label = _("joules per token, predicted; {low} to {high}; {watts} W per chip").format(
        low=f"{joules * low / (1 + ERROR):.3g}",
        high=f"{joules * high * (1 + ERROR):.3g}",
        watts=f"{plan.watts:,.0f}",
    )
    return [(f"{joules:.3g}", label)]


def training(plan: TrainingPlan, tokens: float, price: float) -> list[tuple[str, str]]:
    """Return days, energy and money of a complete training."""
    total = plan.complete(tokens, price or None)
    low, high = shares(plan)
    days = total["days"] or 0.0
    label = _("days for all tokens, predicted; {low} to {high}")
    rows = [
        (amount(days), label.format(low=amount(days * low), high=amount(days * high))),
    ]
    if total["kwh"] is not None:
        label = _("kWh of the chips for all tokens, predicted; {low} to {high}")
        bounds = (total["kwh"] * low / (1 + ERROR), total["kwh"] * high * (1 + ERROR))
        rows.append(
            (amount(total["kwh"]), label.format(low=amount(bounds[0]), high=amount(bounds[1])))
        )
    if total["money"] is not None:
        label = _("for all tokens at the price given, predicted; {low} to {high}")
        money = total["money"]
        rows.append(
            (amount(money), label.format(low=amount(money * low), high=amount(money * high)))
        )
    return rows


def text(plan: InferencePlan, price: float) -> tuple[str, str]:
    """Return the money for a million generated tokens."""
    money = price * plan.job.tensor / HOUR * MILLION / plan.tokens_per_s
    low, high = shares(plan)
    label = _("for a million tokens at the price given, predicted; {low} to {high}").format(
        low=amount(money * low), high=amount(money * high)
    )
    return amount(money), label


def amount(value: float) -> str:
    """Format a number with three digits, or in full above 100."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def duration(milliseconds: float) -> str:
    """Format a duration: milliseconds below ten seconds, then seconds."""
    if milliseconds < 10_000:
        return formatting.milliseconds(milliseconds)
    return _("{seconds} s").format(seconds=f"{milliseconds / 1000:,.1f}")
