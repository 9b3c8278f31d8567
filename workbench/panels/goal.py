"""The goal on the page: how many of the results are small enough and good enough."""

from __future__ import annotations

from workbench.i18n import plural
from workbench.session import Session


def passing(session: Session) -> tuple[int, int]:
    """Return how many results meet both limits, and how many results there are.

    The results are the visited recipes and the current estimate.
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
    return sum(meets(session, *result) for result in results.values()), len(results)


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
