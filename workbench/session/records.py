"""Plain data that a session returns and stores; the history of selections is immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.planner.selection import PlanSelection
from workbench.recipe import Recipe, Train
from workbench.zoo.students import find_student

if TYPE_CHECKING:
    from workbench.training.teacher_predictions import TeacherPrediction

LONGEST_HISTORY = 500


@dataclass(frozen=True)
class Visit:
    """A recipe with its results: its file's size in bytes and its metric on validation.

    `model` is the name of the compressed model: the one that the user chose, or a student. The
    metric of a visit that is not `exact` is an estimate.
    """

    recipe: Recipe
    bytes: int
    value: float
    model: str
    exact: bool = True


@dataclass(frozen=True)
class TeacherQuery:
    """A query for a teacher's prediction of one example at one temperature."""

    teacher: str
    temperature: float
    example: int = 0
    prediction: TeacherPrediction | None = None


Limits = tuple[int | None, float | None, float | None]
"""On the bytes, the accuracy and the millijoules of one example; None for no limit."""


@dataclass(frozen=True)
class Goal:
    """The limits that the user sets for a model and its data; None is no limit.

    Attributes
    ----------
    budget : int or None
        The largest file, in bytes.
    floor : float or None
        The worst value of the task's metric.
    search : tuple of str and float
        The limits of a search that the user has set, by key; None says that there is no limit. A
        missing key follows from `budget` and `floor`, or is suggested.
    """

    budget: int | None = None
    floor: float | None = None
    search: tuple[tuple[str, float | None], ...] = ()

    def decided(self, limits: Mapping[str, float | None]) -> Goal:
        """Return the goal with further limits of a search."""
        return replace(self, search=tuple(sorted({**dict(self.search), **limits}.items())))


Timing = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The latencies of the original and of the file, measured alternately."""


@dataclass(frozen=True)
class Focus:
    """What the views show.

    Attributes
    ----------
    view, kind : str
        The comparison view, and the kind of changed predictions that it lists.
    first : int
        How many examples of that kind to skip.
    columns : int
        How many examples fit side by side.
    example : int or None
        The selected example; None until the user picks one.
    layer : str or None
        The selected layer; None until the user picks one.
    loss : bool
        Whether to draw the training loss in place of the metric.
    areas : bool
        Whether to draw bytes as a treemap.
    accuracy : bool
        Whether to show the accuracy of ranks in place of their distance.
    replay : bool
        Whether the timeline of ranks is on the simulated clock.
    prompt, seed : int
        The prompt that a language model continues, and the seed of its sampling.
    choosing : str
        What the page Choose draws: "recipes", "progress" or "fields".
    narrowed : tuple of str, int and int
        The fields that the next search there narrows: the key, and the indices of the first and the
        last value that are left of all that are tried.
    axis : str or None
        The field whose values the controls there narrow.
    search_seconds : float
        How long the next search there may take.
    plan : PlanSelection
        The large model, the chips and the sizes that are planned.
    """

    view: str = "examples"
    kind: str = "became_wrong"
    first: int = 0
    columns: int = 8
    example: int | None = None
    layer: str | None = None
    areas: bool = False
    loss: bool = False
    accuracy: bool = False
    replay: bool = False
    prompt: int = 0
    seed: int = 0
    choosing: str = "recipes"
    narrowed: tuple[tuple[str, int, int], ...] = ()
    axis: str | None = None
    search_seconds: float = 30
    plan: PlanSelection = field(default_factory=PlanSelection)


@dataclass(frozen=True)
class Selection:
    """A model, a recipe and a goal; selections that differ in the goal alone are equal.

    Attributes
    ----------
    model : str
        The name of the model that is compressed.
    recipe : Recipe
    seconds : float or None
        The training time, until it is converted to steps.
    origin : str or None
        The model that the user chose, if `model` is a student that takes its place.
    goal : Goal
    """

    model: str
    recipe: Recipe
    seconds: float | None = None
    origin: str | None = None
    goal: Goal = field(default=Goal(), compare=False)

    @property
    def is_original(self) -> bool:
        """Whether nothing is compressed, trained or distilled."""
        return self == Selection(self.model, Recipe())

    @property
    def base(self) -> str:
        """The model that sizes and accuracies are compared with; for a student, its network."""
        if self.origin is not None:
            return self.origin
        known = find_student(self.model)
        return self.model if known is None else known.network


@dataclass(frozen=True)
class History:
    """The current selection, earlier and undone ones; the most recent is last in each."""

    current: Selection
    past: tuple[Selection, ...] = ()
    future: tuple[Selection, ...] = ()

    def push(self, selection: Selection) -> History:
        """Return the history with `selection` as the new current one."""
        if selection == self.current and selection.goal == self.current.goal:
            return self
        return History(selection, (*self.past[-LONGEST_HISTORY:], self.current))

    def undo(self) -> History:
        """Return the history one step back, or this one if there is no earlier selection."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (*self.future, self.current))

    def redo(self) -> History:
        """Return the history with the last undone selection, or this one if there is none."""
        if not self.future:
            return self
        return History(self.future[-1], (*self.past, self.current), self.future[:-1])

    @property
    def lost_training(self) -> Train | None:
        """The settings of a training that the last change of the recipe has left behind, or None.

        Without a recipe, or with the untrained recipe of that training, nothing is missed.
        """
        recipe = self.current.recipe
        if not self.past or recipe.train is not None:
            return None
        before = self.past[-1]
        if before.model != self.current.model or recipe in (Recipe(), before.recipe.untrained):
            return None
        return before.recipe.train

    def after(self, tour: History) -> History:
        """Return the history in which this one is current again, after the history `tour`.

        The last selection of the guided tour is its only step. As after any other selection, what
        was undone before cannot be redone.
        """
        if tour is self:
            return tour
        last = () if tour.current == self.current else (tour.current,)
        return History(self.current, (*self.past, *last))

    def without_current(self) -> History:
        """Return the history as if the current selection had never been made."""
        if not self.past:
            return self
        return replace(self, current=self.past[-1], past=self.past[:-1])

    def without_model(self, name: str) -> History:
        """Return the history without the earlier and undone selections of the model `name`."""
        past, future = (
            tuple(step for step in steps if name not in (step.model, step.base))
            for steps in (self.past, self.future)
        )
        return replace(self, past=past, future=future)

    def with_current(self, selection: Selection) -> History:
        """Return the history with the current selection replaced, without a new step."""
        return replace(self, current=selection)
