"""The goal on the page: how many of the results are small enough and good enough."""

from __future__ import annotations

import math
from typing import Any

from workbench.domain.metric import Metric
from workbench.errors import InputError
from workbench.i18n import _, plural
from workbench.panels.landmarks import landmarks
from workbench.session import Session


def bounds(metric: Metric) -> dict[str, dict[str, Any]]:
    """Return the allowed limits in the units of the page, and the error message for others."""
    above, most = floor_bounds(metric)
    scale = 100 if metric.is_fraction else 1
    return {
        "budget": {"above": 0, "most": None, "text": budget_text()},
        "floor": {
            "above": above,
            "most": None if most is None else scale * most,
            "text": floor_text(metric),
        },
    }


def floor_bounds(metric: Metric) -> tuple[float | None, float | None]:
    """Return the allowed limits on a metric: above the first number, and at most the second."""
    if metric.is_fraction:
        return 0, 1
    return (None if metric.higher_is_better else 0), None


def budget_text() -> str:
    """Return the error message for an invalid limit on the size."""
    return _("The maximum size must be a number above 0; leave it empty for no limit.")


def floor_text(metric: Metric) -> str:
    """Return the error message for an invalid limit on a metric."""
    name, (above, most) = metric.label, floor_bounds(metric)
    text = _("The limit of {metric} must be a number; leave it empty for no limit.")
    if most is not None:
        text = _(
            "The limit of {metric} must be above 0 and at most 100\u202f%; leave it empty for no "
            "limit."
        )
    elif above is not None:
        text = _("The limit of {metric} must be a number above 0; leave it empty for no limit.")
    return text.format(metric=name)


def limit(value: Any, above: float | None, most: float | None, text: str) -> float | None:
    """Return `value` as a float, or None for no limit.

    Raises
    ------
    InputError
        With `text`, if it is not a finite number above `above` and at most `most`.
    """
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    low, high = -math.inf if above is None else above, math.inf if most is None else most
    if not is_number or not math.isfinite(value) or not low < value <= high:
        raise InputError(text, code="session.invalid_limit")
    return float(value)


def passing(session: Session) -> tuple[int, int]:
    """Return how many results meet both limits, and how many results there are.

    The results are what the picture draws as points: the visited recipes, the current estimate,
    and the presets and students whose results are known.
    """
    origin = session.origin
    results = {
        (visit.model, visit.recipe): (visit.bytes, visit.value)
        for visit in session.visited
        if visit.model != origin or visit.recipe.as_dict()
    }
    report = session.report
    if report is not None and report.score is not None and report.recipe == session.recipe:
        key = session.model.name, report.recipe
        if session.model.name != origin or report.recipe.as_dict():
            results.setdefault(key, (report.size.bytes, report.score.value))
    measured = list(results.values())
    known = [(mark.spot.bytes, mark.spot.value) for mark in landmarks(session)]
    measured += [result for result in known if result not in measured]
    return sum(meets(session, *result) for result in measured), len(measured)


def meets(session: Session, size: int, value: float) -> bool:
    """Return whether a file of `size` bytes and a metric `value` meets the limits."""
    return is_small_enough(session, size) and is_good_enough(session, value)


def is_small_enough(session: Session, size: int) -> bool:
    """Return whether a file of `size` bytes meets the limit on the size."""
    return session.budget is None or size <= session.budget


def is_good_enough(session: Session, value: float) -> bool:
    """Return whether a metric `value` meets the limit on the metric."""
    floor = session.floor
    return floor is None or not session.model.task.metric.better(floor, value)


def text(session: Session) -> str:
    """Return how many results meet the goal; empty without a goal or results."""
    if session.budget is None and session.floor is None:
        return ""
    met, count = passing(session)
    if not count:
        return ""
    return plural(
        "{met} of {count} result meets the goal", "{met} of {count} results meet the goal", count
    ).format(met=met, count=count)
