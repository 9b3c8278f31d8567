"""The limits of the next search on the page Choose: set by the user, or suggested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.domain.metric import ACCURACY
from workbench.evaluation.uncompressed_file import uncompressed_bytes
from workbench.i18n import _
from workbench.panels import goal
from workbench.session import Session
from workbench.session.records import Limits

KEYS = ("max_bytes", "min_accuracy", "max_energy_mj")
KILOBYTE = 1000
MAX_SECONDS = 3600
"""The longest time of a search."""
SMALL = 0.1
"""The suggested largest file, as a fraction of the original."""
LOSS = 0.02
"""The suggested smallest accuracy, below the original's."""


def next_limits(session: Session) -> Limits:
    """Return the limits that a search begins with: the goal, or what is suggested."""
    limits = _suggested(session) | _set(session)
    size = limits["max_bytes"]
    return None if size is None else round(size), limits["min_accuracy"], limits["max_energy_mj"]


def suggested(session: Session) -> list[str]:
    """Return the keys of the limits that the user has not set."""
    are_set = _set(session)
    limits = _suggested(session)
    return [key for key in KEYS if key not in are_set and limits[key] is not None]


def limits(message: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the limits in a message of the page: bytes, a fraction, and millijoules.

    Raises
    ------
    InputError
        If one of them is not allowed.
    """
    read: dict[str, float | None] = {}
    if "max_bytes" in message:
        size = goal.limit(message["max_bytes"], 0, None, goal.budget_text())
        read["max_bytes"] = None if size is None else max(1, round(size))
    if "min_accuracy" in message:
        bounds = goal.floor_bounds(ACCURACY)
        accuracy = goal.limit(message["min_accuracy"], *bounds, goal.floor_text(ACCURACY))
        # The page multiplies by 0.01, which is no exact number.
        read["min_accuracy"] = None if accuracy is None else float(f"{accuracy:.12g}")
    if "max_energy_mj" in message:
        read["max_energy_mj"] = goal.limit(message["max_energy_mj"], 0, None, energy_text())
    return read


def energy_text() -> str:
    """Return the error message for an invalid limit on the energy."""
    return _("The energy must be a number above 0; leave it empty for no limit.")


def has_accuracy(session: Session) -> bool:
    """Whether the results of the model include an accuracy."""
    scores = session.model.card["accuracy"]["validation"]
    return "correct" in scores or "accuracy" in scores


def _set(session: Session) -> dict[str, float | None]:
    """Return the limits that the user has set, here or on Compress."""
    limits: dict[str, float | None] = {}
    if session.budget is not None:
        limits["max_bytes"] = session.budget
    if session.floor is not None and session.model.task.metric == ACCURACY:
        limits["min_accuracy"] = session.floor
    return limits | dict(session.goal.search)


def _suggested(session: Session) -> dict[str, float | None]:
    size = _rounded(SMALL * uncompressed_bytes(session.model) / KILOBYTE) * KILOBYTE
    accuracy = None
    if has_accuracy(session):
        accuracy = round(session.model.accuracy("validation") - LOSS, 2)
    return {"max_bytes": round(size), "min_accuracy": accuracy, "max_energy_mj": None}


def _rounded(value: float) -> float:
    """Return a number with two significant digits."""
    return float(f"{value:.2g}")
