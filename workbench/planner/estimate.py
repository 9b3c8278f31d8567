"""A predicted number with its 80 % interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A predicted number above 0 and the bounds of its 80 % interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """Return the estimate in a larger unit or of more things."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

    def inverse(self, numerator: float = 1.0) -> Estimate:
        """Return `numerator` divided by the estimate: a rate from a time."""
        return Estimate(numerator / self.value, numerator / self.high, numerator / self.low)

    def widened(self, error: float) -> Estimate:
        """Return the estimate with a further relative error of what it was multiplied by."""
        return Estimate(self.value, self.low / (1 + error), self.high * (1 + error))

    def as_dict(self, name: str) -> dict[str, float]:
        """Return `name`, `name_low` and `name_high`."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


def named(estimate: Estimate | None, name: str) -> dict[str, float | None]:
    """Return `name`, `name_low` and `name_high`, which are None without an estimate."""
    if estimate is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {**estimate.as_dict(name)}
