"""Which of the recipes that were measured are recommended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.domain import Model
from workbench.domain.metric import Metric
from workbench.recipe import Recipe
from workbench.study.goal import Goal
from workbench.study.guessing import guessed_value
from workbench.study.trial import Cost, Trial

NEARLY_AS_SMALL, BETTER, SMALLER, FASTER = "nearly as small", "better", "smaller", "faster"
"""What a trial is better in than the recommended one."""
NEGLIGIBLE = 0.01
"""A file that is larger by at most this fraction is nearly as small."""
CLEAR = 0.01
"""A clear gain: of a fraction, or of another metric relative to its value."""


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
    if not goal.meets(best):
        return (best,)
    return (best, *advantages(metric, best, meeting))[:3]


def advantages(metric: Metric, best: Trial, others: Sequence[Trial]) -> dict[Trial, str]:
    """Return what some trials are better in than `best`: those that are best in it of `others`.

    Each of the trials has another advantage, the most important first. None is named for one that
    a trial named before has to the same degree.
    """
    advantage: dict[Trial, str] = {}

    def order(trial: Trial) -> tuple[float, bool]:
        return -metric.sort_key(trial.value), trial not in advantage

    better = [t for t in others if metric.better(t.value or 0.0, best.value or 0.0)]
    near = [t for t in better if t.bytes <= (1 + NEGLIGIBLE) * best.bytes]
    clearly = CLEAR if metric.is_fraction else CLEAR * abs(best.value or 0.0)
    gain = [t for t in near if metric.sort_key(t.value) - metric.sort_key(best.value) >= clearly]
    if gain:
        advantage[min(gain, key=order)] = NEARLY_AS_SMALL
    if better:
        advantage.setdefault(min(better, key=order), BETTER)
    if smaller := [t for t in others if t.bytes < best.bytes]:
        smallest = min(smaller, key=lambda trial: (trial.bytes, trial not in advantage))
        advantage.setdefault(smallest, SMALLER)
    work = relative_work(best.recipe)
    if faster := [t for t in others if relative_work(t.recipe) < work]:
        fastest = min(faster, key=lambda t: (relative_work(t.recipe), t not in advantage))
        advantage.setdefault(fastest, FASTER)
    return advantage


def relative_work(recipe: Recipe) -> float:
    """Return about how much of the original's multiplications a recipe keeps."""
    removed = recipe.structure.removed if recipe.structure is not None else 0.0
    width = recipe.train.width if recipe.train is not None else 1.0
    return float((1 - removed) ** 2 * width**2)
