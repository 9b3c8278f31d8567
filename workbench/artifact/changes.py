"""What compression changed in the tensors of a file, or the difference of two files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any

from workbench import formatting
from workbench.compression.weight_error import WeightError

WORST = 10


@dataclass(frozen=True)
class Changes:
    """The error of each tensor that differs, and the tensors that cannot be compared.

    Attributes
    ----------
    errors : mapping of str to WeightError
        The tensors whose values differ, by name.
    unchanged : tuple of str
        The tensors whose values are equal.
    only_before, only_after : tuple of str
        The tensors that only one of the files has.
    other_shape : tuple of str
        The tensors whose shapes differ.
    other_dtype : mapping of str to str
        How the dtype of a tensor differs, such as ``F32 → BF16``.
    other_bytes : tuple of str
        Tensors whose bytes differ and whose dtype has no numbers that can be compared.
    """

    errors: Mapping[str, WeightError]
    unchanged: tuple[str, ...] = ()
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()
    other_shape: tuple[str, ...] = ()
    other_dtype: Mapping[str, str] = field(default_factory=dict)
    other_bytes: tuple[str, ...] = ()

    @cached_property
    def total(self) -> WeightError:
        """The sums over all tensors that differ."""
        return WeightError.total(self.errors.values())

    @property
    def equal(self) -> bool:
        """Whether both sides have the same tensors with the same values."""
        lists = (self.only_before, self.only_after, self.other_shape, self.other_bytes)
        return not self.errors and not any(lists)

    def worst(self, count: int = WORST) -> tuple[str, ...]:
        """Return the names of the tensors with the largest relative RMS error, worst first."""

        def rank(name: str) -> tuple[bool, float, float]:
            error = self.errors[name]
            return error.not_finite > 0, error.rms, error.largest

        return tuple(sorted(self.errors, key=rank, reverse=True)[:count])

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data; a relative error of weights that were all zero is None."""
        return {
            "equal": self.equal,
            "changed": len(self.errors),
            "unchanged": len(self.unchanged),
            "rms": _finite(self.total.rms),
            "worst": list(self.worst()),
            "tensors": {name: _as_dict(error) for name, error in self.errors.items()},
            "only_before": list(self.only_before),
            "only_after": list(self.only_after),
            "other_shape": list(self.other_shape),
            "other_dtype": dict(self.other_dtype),
            "other_bytes": list(self.other_bytes),
        }

    def __str__(self) -> str:
        return "\n".join([*self._sentences(), *self._table()])

    __repr__ = __str__

    def _sentences(self) -> list[str]:
        changed, unchanged = len(self.errors), len(self.unchanged)
        if self.equal:
            return [f"All {unchanged:,} tensors are equal."]
        texts = [f"{changed:,} tensors differ, {unchanged:,} are equal."]
        if changed:
            texts.append(f"RMS error of those that differ: {percent(self.total.rms)}.")
        for names, text in (
            (self.only_before, "only in the first"),
            (self.only_after, "only in the second"),
            (self.other_shape, "of different shapes, not compared"),
            (self.other_bytes, "of different bytes, in a dtype that is not compared"),
        ):
            if names:
                texts.append(f"{len(names):,} tensors {text}: {formatting.names(names, 3)}.")
        return texts

    def _table(self) -> list[str]:
        names = self.worst()
        if not names:
            return []
        width = max(map(len, names)) + 2
        head = f"{'largest errors':<{width}}{'RMS':>11}{'of largest':>13}{'of itself':>12}"
        rows = [head]
        for name in names:
            error = self.errors[name]
            figures = (percent(error.rms), percent(error.largest), percent(error.max_relative))
            note = f"  {error.not_finite:,} NaN or infinite" if error.not_finite else ""
            rows.append(f"{name:<{width}}{figures[0]:>11}{figures[1]:>13}{figures[2]:>12}{note}")
        return rows


def percent(value: float) -> str:
    """Format a relative error in percent with three digits."""
    if not isfinite(value):
        return "∞"
    return f"{value * 100:,.3g}{formatting.NARROW_SPACE}%" if value < 10 else f"{value:,.3g} ×"


def _as_dict(error: WeightError) -> dict[str, Any]:
    return {
        "rms": _finite(error.rms),
        "largest": _finite(error.largest),
        "largest_relative": _finite(error.max_relative),
        "max_error": error.max_error,
        "weights": error.count,
        "changed": error.changed,
        "not_finite": error.not_finite,
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
