"""The choices of the page Plan as keys of a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from workbench.errors import InputError
from workbench.faults import Faults
from workbench.i18n import _
from workbench.planner.selection import BITS, HIGHEST_PRICE, OPENED, SIZES, PlanSelection
from workbench.recipe.schema import brief
from workbench.session.checks import number_text, parse_number

PREFIX = "plan."
NUMBERS: dict[str, type[int | float]] = {
    "chips": int,
    "batch": int,
    "length": int,
    "tokens": int,
    "price": float,
}
FIELDS = ("mode", "model", "chip", "precision", "checkpointing", *NUMBERS)
PLAN_KEYS = frozenset(PREFIX + name for name in FIELDS)


def format_plan(plan: PlanSelection) -> dict[str, str]:
    """Return the keys of what differs from a new plan of the same task.

    A file that the user has opened does not fit in a link: it is left out.
    """
    new = replace(PlanSelection(mode=plan.mode), **SIZES[plan.mode])
    values = {name: getattr(plan, name) for name in FIELDS}
    changed = {
        name: value
        for name, value in values.items()
        if value not in (OPENED, getattr(new, name)) or (name == "mode" and value != "infer")
    }
    return {PREFIX + name: _text(value) for name, value in changed.items()}


def parse_plan(values: Mapping[str, str], faults: Faults) -> PlanSelection:
    """Return the plan of the keys of a link; `faults` collects what is wrong with them."""
    texts = {name: values[PREFIX + name] for name in FIELDS if PREFIX + name in values}
    plan = PlanSelection()
    for name, text in texts.items():
        with faults.collected():
            plan = plan.changed({name: _checked(plan, name, text)})
    return plan


def _checked(plan: PlanSelection, name: str, text: str) -> Any:
    """Return the value of a field, which must be one of its choices."""
    key = PREFIX + name
    value: Any = parse_number(text, key, NUMBERS[name]) if name in NUMBERS else text
    if name == "price":
        if isfinite(value) and 0 <= value <= HIGHEST_PRICE:
            return value
        allowed = _("a number from 0 to {high}").format(high=f"{HIGHEST_PRICE:,}")
    else:
        choices = BITS[plan.mode] if name == "precision" else plan.choices(name)
        if value in choices:
            return value
        allowed = _("one of {choices}").format(choices=", ".join(map(str, choices)))
    raise InputError(
        _("Change or remove {key}: it must be {allowed}, not {value}.").format(
            key=key, allowed=allowed, value=brief(text)
        ),
        code="session.invalid_link",
    )


def _text(value: Any) -> str:
    return number_text(value) if isinstance(value, float) else str(value)
