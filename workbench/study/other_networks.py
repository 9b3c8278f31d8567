"""Other networks of the same task that meet limits better than any recipe that was found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from workbench import formatting
from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.evaluation.preset_results import preset_results
from workbench.i18n import _
from workbench.recipe import Recipe
from workbench.recipe.description import describe
from workbench.recipe.presets import PRESETS
from workbench.study.goal import Goal
from workbench.study.measurement import SPLIT
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
    than : Trial or None
        The best recipe of the model itself.
    lost_on_test : float
        How much less accuracy the network has on test than on validation, uncompressed.
    """

    name: str
    trial: Trial
    than: Trial | None = None
    lost_on_test: float = 0.0

    def advantage(self, goal: Goal) -> str:
        """Return in a word or two what is better."""
        if self.than is None or not goal.meets(self.than):
            return _("meets the limits")
        value, other = self.trial.value or 0.0, self.than.value or 0.0
        better = goal.metric.better(value, other) and not self._change(goal).startswith("±")
        if self.trial.bytes >= self.than.bytes:
            return _("better {metric}").format(metric=goal.metric.label)
        if better:
            return _("smaller, better {metric}").format(metric=goal.metric.label)
        return _("smaller")

    def dominates(self, goal: Goal) -> bool:
        """Whether it is smaller than the best recipe of the model itself, and no worse."""
        if self.than is None or self.trial.bytes >= self.than.bytes:
            return False
        return not goal.metric.better(self.than.value or 0.0, self.trial.value or 0.0)

    def sentence(self, goal: Goal) -> str:
        """Return what is better and by how much, as a sentence."""
        text = _(
            "Another network ({advantage}): {name} with {recipe} has {bytes} and {metric} {value} "
            "on the same validation examples."
        )
        size = change = ""
        if self.than is not None:
            text = _(
                "Another network ({advantage}): {name} with {recipe} has {bytes} ({size}) and "
                "{metric} {value} ({change}) on the same validation examples."
            )
            size, change = self._size(self.than.bytes), self._change(goal)
        return text.format(
            advantage=self.advantage(goal),
            name=self.name,
            recipe=describe(self.trial.recipe),
            bytes=formatting.nbytes(self.trial.bytes),
            metric=goal.metric.label,
            value=goal.metric.format(self.trial.value or 0.0),
            size=size,
            change=change,
        )

    def on_test(self, goal: Goal) -> tuple[float, float] | None:
        """Return the 95 % interval of its accuracy on test, see `Goal.on_test`."""
        return replace(goal, lost_on_test=self.lost_on_test).on_test(self.trial)

    def _size(self, other: int) -> str:
        share = self.trial.bytes / other - 1
        text = _("{percent} smaller") if share < 0 else _("{percent} larger")
        return text.format(percent=formatting.percent(abs(share)))

    def _change(self, goal: Goal) -> str:
        """Return the difference of the metrics, which is said to be ± if it rounds to nothing."""
        assert self.than is not None
        return goal.metric.difference(self.trial.value or 0.0, self.than.value or 0.0)


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
    network = named(name)
    lost = network.accuracy(SPLIT) - network.accuracy("test")
    return OtherNetwork(name, trial, best, lost)


def _known(model: Model) -> Iterator[Known]:
    for name, architecture in ARCHITECTURES.items():
        if architecture.task is model.task and name != model.name:
            for preset, (size, value) in preset_results(named(name), ResultCache()).items():
                yield name, _trial(model, RECIPES[preset], size, value)
    for student in students():
        if ARCHITECTURES[student.network].task is model.task and student.name != model.name:
            yield student.name, _trial(model, Recipe(), student.card.bytes, student.card.value)


def _trial(model: Model, recipe: Recipe, size: int, value: float) -> Trial:
    """Return the trial of a network of the task of `model`, on the same examples."""
    total = model.card["accuracy"][SPLIT]["examples"]
    return Trial(recipe, EXACT, size, value=value, accuracy=value, examples=total, total=total)
