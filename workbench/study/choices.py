"""Which of the recipes that were measured are recommended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.domain import Model
from workbench.recipe import Recipe
from workbench.study.goal import Goal
from workbench.study.guessing import guessed_value
from workbench.study.trial import Cost, Trial


def ranked(goal: Goal, trials: Sequence[Trial], costs: Mapping[str, Cost]) -> list[Trial]:
    """Return the exact trials, the best first; with a limit on costs, those that keep to it."""
    return sorted(goal.ranking(trials), key=lambda trial: cost_order(goal, trial, costs))


def cost_order(goal: Goal, trial: Trial, costs: Mapping[str, Cost]) -> int:
    """Return 0 for a trial that costs little enough, 1 for other ones, 2 if it is unknown."""
    excess = goal.excess(costs.get(trial.file))
    return 2 if excess is None else int(excess > 1)


def choices_of(
    model: Model, goal: Goal, ranking: Sequence[Trial], costs: Mapping[str, Cost]
) -> tuple[Trial, ...]:
    """Return the best and at most two others that meet the limits and are better somehow.

    None of the others is no better than guessing, unless the best is.
    """
    if not ranking:
        return ()
    best = ranking[0]
    metric, guess = goal.metric, guessed_value(model)
    meeting = [t for t in ranking[1:] if goal.meets(t) and cost_order(goal, t, costs) == 0]
    if guess is not None and metric.better(best.value or 0.0, guess):
        meeting = [t for t in meeting if metric.better(t.value or 0.0, guess)]
    if not goal.meets(best) or not meeting:
        return (best,)
    most_accurate = max(meeting, key=lambda trial: metric.sort_key(trial.value))
    smallest = min(meeting, key=lambda trial: trial.bytes)
    fastest = min(meeting, key=lambda trial: relative_work(trial.recipe))
    others = []
    if metric.better(most_accurate.value or 0.0, best.value or 0.0):
        others.append(most_accurate)
    if smallest.bytes < best.bytes:
        others.append(smallest)
    if relative_work(fastest.recipe) < relative_work(best.recipe):
        others.append(fastest)
    return (best, *dict.fromkeys(others))[:3]


def relative_work(recipe: Recipe) -> float:
    """Return about how much of the original's multiplications a recipe keeps."""
    removed = recipe.structure.removed if recipe.structure is not None else 0.0
    width = recipe.train.width if recipe.train is not None else 1.0
    return float((1 - removed) ** 2 * width**2)
