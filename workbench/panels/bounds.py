"""The bounds of number inputs, and the error message for other input."""

from __future__ import annotations

from typing import Any

from workbench.i18n import _


def between(low: float, high: float, *, is_integer: bool = False) -> dict[str, Any]:
    """Return the bounds of an input that must have a number, both included.

    The page writes the last number that was allowed in place of ``{value}``.

    Parameters
    ----------
    is_integer
        Whether the number must be an integer.
    """
    text = _("Enter a number from {low} to {high}; until then, {value} is used.")
    if is_integer:
        text = _("Enter a whole number from {low} to {high}; until then, {value} is used.")
    return {
        "least": low,
        "most": high,
        "integer": is_integer,
        "required": True,
        "text": text.format(low=_number(low), high=_number(high), value="{value}"),
    }


def of_layer(label: str, low: float, high: float, unit: str) -> dict[str, Any]:
    """Return the bounds of an input for a layer, which may be empty.

    Parameters
    ----------
    label
        What the number is: the error message names it, because it stands below several inputs.
    low, high
        The bounds in the unit of the page, both included.
    unit
        What follows the number, such as a percent sign.
    """
    text = _(
        "{label} must be a number from {low} to {high}, or empty as for the other layers; "
        "until then, it stays as it was."
    )
    return {
        "least": low,
        "most": high,
        "text": text.format(label=label, low=_number(low), high=f"{_number(high)}{unit}"),
    }


def _number(value: float) -> str:
    return f"{value:,.9f}".rstrip("0").rstrip(".")
