"""The trials of a study: accuracy against size, with the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots import study_costs, tradeoff
from workbench.plots.goal import Goal
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.spots import MAX_SHOWN, Landmark, Spot
from workbench.plots.style import Figure
from workbench.recipe import Recipe
from workbench.recipe.description import describe
from workbench.zoo.reference import reference_label

if TYPE_CHECKING:
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
    met: bool = True,
    landmarks: Sequence[Landmark] = (),
) -> Figure:
    """Draw the exactly measured recipes; a click asks the page to select one.

    A study that weighs costs other than bytes has a panel for each cost.

    Parameters
    ----------
    result, palette
        What to draw, and its colors.
    goal
        The limits on the size and the metric.
    best
        The recipe to name.
    met
        Whether `best` meets all limits.
    landmarks
        Points with names, such as presets and another network.
    """
    if result.study.is_timed:
        return study_costs.draw(result, shown(result), palette)
    size, value = result.original
    trials = shown(result)
    figure = tradeoff.draw(
        Spot(size, value, value, value),
        [replace(_spot(trial), key=number) for number, trial in enumerate(trials)],
        None if best is None else _spot(best),
        palette,
        goal=goal,
        landmarks=landmarks,
        metric=result.metric,
        name=reference_label(result.study.model),
        label=_("recommended") if met else _("nearest to the limits"),
    )
    if best is None:
        figure["layout"]["title"]["text"] = _("The recipes that were measured exactly")
    set_messages(figure, [trial.recipe for trial in trials])
    return figure


def set_messages(figure: Figure, recipes: Sequence[Recipe]) -> None:
    """Let a click on a point ask for its recipe, and one on the original for no compression.

    `recipes` are those of the visited points, by the order in which these were given.
    """
    for trace in figure["data"]:
        if trace.get("name") == "visited":
            trace["customdata"] = [_message(recipes[key]) for key in trace["customdata"]]
        elif trace.get("name") == "original":
            trace["customdata"] = [_message(Recipe())]


def shown(result: StudyResult) -> list[Trial]:
    """Return the exact trials to draw: the front, and the newest."""
    exact = [trial for trial in result.trials if trial.exact]
    on_front = set(map(id, result.front))
    older = [trial for trial in exact[:-MAX_SHOWN] if id(trial) in on_front]
    return older + exact[-MAX_SHOWN:]


def _message(recipe: Recipe) -> dict[str, str]:
    """Return what a click on a point asks for."""
    return {"act": "choose_recipe", "recipe": recipe.to_json()}


def _spot(trial: Trial) -> Spot:
    value = trial.value or 0.0
    return Spot(trial.bytes, value, value, value, trained=trial.recipe.train is not None)


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
    return [
        formatting.titled(study_costs.figures(result, trial), describe(trial.recipe))
        for trial in trials
    ]
