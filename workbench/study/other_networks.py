"""Other networks of the same task that meet limits better than any recipe that was found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench import formatting
from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.evaluation.preset_results import preset_results
from workbench.i18n import _
from workbench.recipe import Recipe
from workbench.recipe.description import describe
from workbench.recipe.presets import PRESETS
from workbench.study.goal import Goal
from workbench.study.trial import EXACT, Trial
from workbench.zoo.registry import model as named
from workbench.zoo.students import students
from workbench.zoo.tables import ARCHITECTURES

Known = tuple[str, Trial]
"""The name of a model, and a recipe whose file was measured on all validation examples."""

RECIPES = {preset.name: preset.recipe for preset in PRESETS}


@dataclass(frozen=True)
class OtherNetwork:
    """Another network of the same task, and the recipe that is better under the limits.

    Attributes
    ----------
    name : str
        Of the model.
    trial : Trial
        Its recipe, bytes and metric, on the same validation examples.
    """

    name: str
    trial: Trial

    def sentence(self, goal: Goal) -> str:
        """Return what is better, as a sentence."""
        return _(
            "Another network is better: {name} with {recipe} has {bytes} and {metric} {value} on "
            "the same validation examples."
        ).format(
            name=self.name,
            recipe=describe(self.trial.recipe),
            bytes=formatting.nbytes(self.trial.bytes),
            metric=_(goal.metric.name),
            value=goal.metric.format(self.trial.value or 0.0),
        )


def other_network(model: Model, goal: Goal, best: Trial | None) -> OtherNetwork | None:
    """Return which other network is better under the limits, or None.

    Only what the package knows is compared, so that it costs no time: the presets of the built-in
    models, and the shipped students. Their latencies and energies are unknown, so None if one has
    a limit.

    Parameters
    ----------
    model
        Another network is one of the same task.
    goal
        The limits.
    best
        The best recipe of the model itself, or None.
    """
    if goal.limits_cost or model.task.metric.counts != "classes":
        return None
    meeting = [entry for entry in _known(model) if goal.meets(entry[1])]
    if not meeting:
        return None
    name, trial = min(meeting, key=lambda entry: goal.key(entry[1]))
    if best is not None and goal.key(trial) >= goal.key(best):
        return None
    return OtherNetwork(name, trial)


def _known(model: Model) -> Iterator[Known]:
    for name, architecture in ARCHITECTURES.items():
        if architecture.task is model.task and name != model.name:
            for preset, (size, value) in preset_results(named(name), ResultCache()).items():
                yield name, _trial(RECIPES[preset], size, value)
    for student in students():
        if ARCHITECTURES[student.network].task is model.task and student.name != model.name:
            yield student.name, _trial(Recipe(), student.card.bytes, student.card.value)


def _trial(recipe: Recipe, size: int, value: float) -> Trial:
    return Trial(recipe, EXACT, size, value=value, accuracy=value)
