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
HEAD = ("largest errors", "RMS", "of the largest", "of the weight")
"""The columns: RMS error, and largest error relative to the largest and to the same weight."""
NOT_COMPARED = {
    "only_before": "only in the first",
    "only_after": "only in the second",
    "other_shape": "of different shapes, not compared",
    "other_bytes": "whose bytes differ, of a dtype that is not compared",
}


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
        return "\n".join(lines(self.as_dict()))

    __repr__ = __str__


def lines(facts: Mapping[str, Any]) -> list[str]:
    """Return the content of `Changes.as_dict` as lines of text."""
    if facts["equal"]:
        return [f"All {facts['unchanged']:,} tensors are equal."]
    texts = [f"{facts['changed']:,} tensors differ, {facts['unchanged']:,} are equal."]
    if facts["changed"]:
        texts.append(f"RMS error of those that differ: {percent(facts['rms'])}.")
    for key, text in NOT_COMPARED.items():
        if names := list(facts[key]):
            texts.append(
                f"{len(names):,} {text}: {formatting.names([*map(formatting.short, names)], 3)}."
            )
    return texts + _table(facts)


def _table(facts: Mapping[str, Any]) -> list[str]:
    names = facts["worst"]
    if not names:
        return []
    width = max(len(HEAD[0]), *(len(formatting.short(name)) for name in names)) + 2
    rows = [f"{HEAD[0]:<{width}}" + "".join(f"{title:>16}" for title in HEAD[1:])]
    for name in names:
        error = facts["tensors"][name]
        figures = (error["rms"], error["largest"], error["largest_relative"])
        note = f"  {error['not_finite']:,} NaN or infinite" if error["not_finite"] else ""
        rows.append(
            f"{formatting.short(name):<{width}}"
            + "".join(f"{percent(f):>16}" for f in figures)
            + note
        )
    return rows


def percent(value: float | None) -> str:
    """Format a relative error in percent with three digits; None is infinite."""
    if value is None:
        return "∞"
    if value >= 10:
        return f"{value:,.3g} ×"
    return f"{f'{value * 100:#.3g}'.rstrip('.')}{formatting.NARROW_SPACE}%"


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
