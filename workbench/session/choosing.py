"""The search for a recipe under limits, as a session shows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workbench.cancel import CancelToken
from workbench.session.records import Limits

if TYPE_CHECKING:
    from workbench.domain import Model
    from workbench.study.recommendation import Recommendation


@dataclass(frozen=True)
class Demand:
    """What the user asks for: limits, how long to search, and which values of fields."""

    max_bytes: int | None
    min_accuracy: float | None
    seconds: float
    narrowed: tuple[tuple[str, int, int], ...] = ()
    max_energy_mj: float | None = None

    @property
    def limits(self) -> Limits:
        """The largest file, the smallest accuracy and the most energy."""
        return self.max_bytes, self.min_accuracy, self.max_energy_mj


@dataclass(frozen=True)
class Choosing:
    """A search that runs, was stopped, or has ended.

    Attributes
    ----------
    demand : Demand
    recommendation : Recommendation or None
        The newest result.
    state : str
        "working", "stopped" or "done".
    begin : float
        When it began, by the monotonic clock.
    """

    demand: Demand
    recommendation: Recommendation | None = None
    state: str = "working"
    begin: float = field(default_factory=time.monotonic)

    @property
    def running(self) -> bool:
        """Whether more will come."""
        return self.state == "working"

    @property
    def fraction(self) -> float:
        """The fraction of the time that has passed, at most 1."""
        return min(1.0, (time.monotonic() - self.begin) / self.demand.seconds)

    @property
    def seconds_left(self) -> float:
        """The rest of the time in seconds."""
        return (1 - self.fraction) * self.demand.seconds


def search(
    model: Model, demand: Demand, cancel: CancelToken, publish: Callable[[Choosing], None]
) -> None:
    """Search the best recipe under limits, and publish each change of the search.

    Raises
    ------
    WorkbenchError
        If a limit is not possible.
    Cancelled
        If `cancel` is cancelled.
    """
    choosing = Choosing(demand)
    publish(choosing)
    from workbench.study.candidates import narrowed_space  # loads torch
    from workbench.study.optimize import optimize

    def show(recommendation: Recommendation, state: str = "working") -> None:
        nonlocal choosing
        choosing = replace(choosing, recommendation=recommendation, state=state)
        publish(choosing)

    try:
        result = optimize(
            model,
            max_bytes=demand.max_bytes,
            min_accuracy=demand.min_accuracy,
            max_energy_mj=demand.max_energy_mj,
            seconds=demand.seconds,
            space=narrowed_space(model, demand.narrowed),
            on_update=show,
            cancel=cancel,
        )
    except BaseException:
        publish(replace(choosing, state="stopped"))
        raise
    show(result, "done")
