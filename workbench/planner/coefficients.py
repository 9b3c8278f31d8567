"""Fitted coefficients: how much longer each kind of work takes than at sustained rates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

REPLICATED = "replicated"
"""Programs on several chips that hold complete weights; no measured row has them."""
BALANCED = ("tpu-v4", "tpu-v5e", "tpu-v5p")
"""TPUs with about as many operations per byte of memory; the v6e has two to three times as many."""
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "pytorch": {"h100-sxm": ("h100-sxm", "h200"), "h200": ("h100-sxm", "h200")},
    "sharded": {
        **{name: (name,) for name in ("a100-40", "a100-80", "h100-sxm")},
        **dict.fromkeys(BALANCED, BALANCED),
        "tpu-v6e": ("tpu-v6e",),
    },
}
"""Whose rows are fitted for a chip: H100 and H200 are one design with different memory."""
CARRIED = {
    ("pytorch", "h100-pcie"): "h100-sxm",
    ("sharded", "h200"): "h100-sxm",
    ("sharded", "h100-pcie"): "h100-sxm",
    (REPLICATED, "h100-pcie"): "h100-sxm",
}
"""Chips of the same design whose coefficients serve for another one."""
GENERAL = "general"
"""The coefficients of a chip without rows: the mean of all others."""


@dataclass(frozen=True)
class Fit:
    """The coefficients of one kind of program on one chip.

    `is_calibrated` says whether rows of this chip were fitted.
    """

    stack: str
    chip: str
    terms: dict[str, float]
    is_calibrated: bool


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """Return all coefficients and the residuals of their rows."""
    path = files("workbench.planner").joinpath("tables/coefficients.json")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def is_fitted(stack: str, chip: str) -> bool:
    """Return whether rows of this chip were fitted for this kind of program."""
    return chip in table()["fits"][stack]


def members(stack: str, chip: str) -> tuple[str, ...]:
    """Return the chips whose rows describe a kind of program on a chip."""
    groups = GROUPS.get("sharded" if stack == REPLICATED else stack, GROUPS["pytorch"])
    return groups.get(chip, (chip,))


def fit(stack: str, chip: str) -> Fit:
    """Return the coefficients for a kind of program on a chip."""
    fits = table()["fits"][stack]
    if chip in fits:
        return Fit(stack, chip, fits[chip], is_calibrated=True)
    carried = CARRIED.get((stack, chip))
    return Fit(stack, chip, fits[carried or GENERAL], is_calibrated=False)
