"""CO₂ of an energy, from the intensity of electricity that the user gives."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from workbench import formatting
from workbench.arguments import expect_instance
from workbench.errors import InputError
from workbench.i18n import _
from workbench.profiling.energy.energy import Energy

VARIABLE = "WORKBENCH_CO2_GRAMS_PER_KWH"
JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True)
class Carbon:
    """Grams of CO₂ with their interval, and the grams per kWh that they are computed with.

    Attributes
    ----------
    grams, low, high : float
        Grams of CO₂, and the ends of their interval, which is that of the energy.
    grams_per_kwh : float
        The intensity of electricity, as given.
    """

    grams: float
    low: float
    high: float
    grams_per_kwh: float

    @property
    def text(self) -> str:
        """The amount with the given intensity."""
        return _("{amount} at the given {intensity} g/kWh").format(
            amount=self.amount, intensity=f"{self.grams_per_kwh:g}"
        )

    @property
    def amount(self) -> str:
        """The grams with their interval, to be shown next to the intensity."""
        return _("{grams} CO₂ ({low} to {high})").format(
            grams=formatting.grams(self.grams),
            low=formatting.grams(self.low),
            high=formatting.grams(self.high),
        )

    def __repr__(self) -> str:
        return f"<Carbon {self.text}>"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)


def carbon(energy: Energy, grams_per_kwh: float | None = None) -> Carbon:
    """Return the CO₂ of an energy.

    There is no default: the intensity of electricity differs by a factor of a hundred between
    countries and hours.

    Parameters
    ----------
    energy
        A measured or estimated energy.
    grams_per_kwh
        Grams of CO₂ per kWh of electricity; by default the environment variable
        ``WORKBENCH_CO2_GRAMS_PER_KWH``.

    Raises
    ------
    InputError
        If no intensity is given, it is not a number, or the energy is not known.

    Examples
    --------
    >>> import workbench as wb
    >>> _, energy = wb.energy_of(lambda: sum(range(100_000)))
    >>> wb.carbon(energy, grams_per_kwh=400).grams_per_kwh
    400.0
    """
    expect_instance(energy, Energy, "Pass an energy, as wb.energy_of returns it", "not_an_energy")
    intensity = given_intensity() if grams_per_kwh is None else _number(grams_per_kwh)
    if intensity is None:
        raise InputError(
            f"CO₂ needs the grams per kWh of your electricity: pass grams_per_kwh or {VARIABLE}.",
            code="energy.no_intensity",
        )
    if energy.joules is None or energy.low is None or energy.high is None:
        raise InputError("The energy is not known, and so its CO₂ is not.", code="energy.not_known")
    grams, low, high = (
        joules / JOULES_PER_KWH * intensity for joules in (energy.joules, energy.low, energy.high)
    )
    return Carbon(grams, low, high, intensity)


def given_intensity() -> float | None:
    """Return the grams per kWh of the environment variable, or None if it is not set.

    Raises
    ------
    InputError
        If the variable is not a number of at least 0.
    """
    text = os.environ.get(VARIABLE, "")
    return _number(text) if text else None


def _number(value: float | str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if number >= 0 and isfinite(number):
        return number
    raise InputError(
        f"The grams of CO₂ per kWh must be a number of at least 0, not {value!r}.",
        code="energy.invalid_intensity",
    )
