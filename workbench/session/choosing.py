"""The search for a recipe under limits, as a session shows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.recipe import Recipe
from workbench.recipe.presets import PRESETS
from workbench.session.records import Limits, Visit

if TYPE_CHECKING:
    from workbench.domain import Model
    from workbench.study.recommendation import Recommendation

UNTOUCHED = Recipe()


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

    def is_same_as(self, other: Demand) -> bool:
        """Whether another search differs only in its time, or not at all."""
        return replace(self, seconds=other.seconds) == other


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
    _known: dict[tuple[Limits, int], Recommendation] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def under(
        self, limits: Limits, recipes: Sequence[Recipe], store: ResultCache
    ) -> Recommendation | None:
        """Return the newest result, adapted to other limits and to further measured recipes.

        Parameters
        ----------
        limits
            On the bytes, the accuracy and the energy.
        recipes
            All recipes that were measured on the page, the oldest first, also after the search.
        store
            The cache of results.
        """
        result = self.recommendation
        if result is None or not result.choices:
            return result
        key = limits, 0 if self.running else len(recipes)
        if key not in self._known:
            exact = {trial.recipe for trial in result.result.trials if trial.exact}
            others = [recipe for recipe in recipes[: key[1]] if recipe not in exact]
            if limits != self.demand.limits or others:
                from workbench.study.other_limits import under

                result = under(result, *limits, known=others, store=store)
            self._known[key] = result
        return self._known[key]

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


def visits_of(visits: Sequence[Visit], model: str) -> list[Visit]:
    """Return the exact results of compressed files of a model."""
    return [
        visit
        for visit in visits
        if visit.model == model and visit.exact and visit.recipe != UNTOUCHED
    ]


def recipes_before(
    visits: Sequence[Visit], model: str, earlier: Choosing | None, demand: Demand
) -> list[Recipe]:
    """Return the recipes that may be known when a search begins: presets, visits, other searches.

    Of an `earlier` search that the new one continues, only the recipes that it knew at its start
    count.
    """
    recipes = [preset.recipe for preset in PRESETS]
    recipes += [visit.recipe for visit in visits_of(visits, model)]
    result = None if earlier is None else earlier.recommendation
    if earlier is not None and result is not None:
        trials = result.result.trials
        trials = trials[: result.result.known] if earlier.demand.is_same_as(demand) else trials
        recipes += [trial.recipe for trial in trials if trial.exact]
    return list(dict.fromkeys(recipes))


def search(
    model: Model,
    demand: Demand,
    known: Sequence[Recipe],
    cancel: CancelToken,
    publish: Callable[[Choosing], None],
) -> None:
    """Search for the best recipe within limits, and publish each change of the search.

    Recipes that may be `known` need not be measured again.

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
            known=known,
            on_update=show,
            cancel=cancel,
        )
    except BaseException:
        publish(replace(choosing, state="stopped"))
        raise
    show(result, "done")
