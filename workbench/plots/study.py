"""The trials of a study: accuracy against size, with the front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.display import Card
from workbench.i18n import _
from workbench.plots import study_costs, tradeoff
from workbench.plots.goal import Goal
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.spots import MAX_SHOWN, Spot
from workbench.plots.style import Figure
from workbench.recipe.description import describe

if TYPE_CHECKING:
    from workbench.domain.metric import Metric
    from workbench.study.result import StudyResult
    from workbench.study.trial import Trial

MAX_NOTES = 5
"""How many recipes of the front the card lists."""


def draw(
    result: StudyResult,
    palette: Palette = LIGHT,
    goal: Goal | None = None,
    best: Trial | None = None,
    *,
    meets_costs: bool = True,
) -> Figure:
    """Draw the exactly measured recipes; a click asks the page to select one.

    A study of other costs than bytes has a panel for each.

    Parameters
    ----------
    result, palette
        What to draw, and its colors.
    goal
        The limits on the size and the metric.
    best
        The recipe to name.
    meets_costs
        Whether `best` meets the limits that the picture does not show.
    """
    if result.study.is_timed:
        return study_costs.draw(result, [trial for _number, trial in shown(result)], palette)
    size, value = result.original
    met = best is None or goal is None or (meets_costs and _meets(best, goal, result.metric))
    figure = tradeoff.draw(
        Spot(size, value, value, value),
        [_spot(trial, number) for number, trial in shown(result)],
        None if best is None else _spot(best, 0),
        palette,
        goal=goal,
        metric=result.metric,
        label=_("recommended") if met else _("nearest to the limits"),
    )
    if best is None:
        figure["layout"]["title"]["text"] = _("The recipes that were measured exactly")
    for trace in figure["data"]:
        if trace.get("name") == "visited":
            trace["customdata"] = [_message(result.trials[key]) for key in trace["customdata"]]
    return figure


def _meets(trial: Trial, goal: Goal, metric: Metric) -> bool:
    is_small = goal.budget is None or trial.bytes <= goal.budget
    return is_small and (goal.floor is None or not metric.better(goal.floor, trial.value or 0.0))


def shown(result: StudyResult) -> list[tuple[int, Trial]]:
    """Return the exact trials to draw with their numbers: the front, and the newest."""
    exact = [(number, trial) for number, trial in enumerate(result.trials) if trial.exact]
    on_front = set(map(id, result.front))
    older = [(number, trial) for number, trial in exact[:-MAX_SHOWN] if id(trial) in on_front]
    return older + exact[-MAX_SHOWN:]


def _message(trial: Trial) -> dict[str, str]:
    """Return what a click on a trial asks for."""
    return {"act": "choose_recipe", "recipe": trial.key}


def _spot(trial: Trial, key: int) -> Spot:
    value = trial.value or 0.0
    return Spot(trial.bytes, value, value, value, key, trained=trial.recipe.train is not None)


def rows(result: StudyResult) -> list[dict[str, Any]]:
    """Return a row for each trial; with times and energies if the study measures them."""
    return [
        {
            "state": trial.state,
            "bytes": trial.bytes,
            "value": trial.value,
            **(_costs(trial) if result.study.is_timed else {}),
            "examples": trial.examples,
            "seconds": trial.seconds,
            "recipe": trial.key,
        }
        for trial in result.trials
    ]


def _costs(trial: Trial) -> dict[str, float | bool | None]:
    cost = trial.cost
    return {
        "milliseconds": cost.milliseconds,
        "millijoules": cost.millijoules,
        "busy": cost.busy,
    }


def card(result: StudyResult) -> Card:
    """Return the result in brief: how many recipes, and those of the front."""
    return Card(
        result.summary,
        [(f"{count:,}", state) for state, count in result.states.items()],
        sentences(result, spread(result.front, MAX_NOTES)),
    )


def spread(front: Sequence[Trial], most: int) -> list[Trial]:
    """Return at most `most` trials of a front, evenly from the smallest to the largest file."""
    if len(front) <= most:
        return list(front)
    return [front[round(i * (len(front) - 1) / (most - 1))] for i in range(most)]


def sentences(result: StudyResult, trials: Sequence[Trial]) -> list[str]:
    """Return a line for each trial: costs, metric and recipe."""
    return [f"{study_costs.figures(result, trial)}: {describe(trial.recipe)}" for trial in trials]
