"""The temperature sweep: one student for each temperature, mixing weight and seed, in one go.

Students of one seed begin with the same weights and see the same batches, and each is what its
own recipe gives alone: bit for bit where they train side by side, to float rounding where they
are stacked. The teacher's outputs are computed once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby, product
from math import isfinite
from queue import SimpleQueue
from threading import Event

import torch
from torch import Tensor

from workbench.errors import RecipeError, TrainingError
from workbench.experiments.repeats import Repeats
from workbench.experiments.stacked_students import StackedStudents, stackable
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.types import TrainingSetup

Validate = Callable[[Mapping[str, Tensor]], float]


@dataclass(frozen=True, order=True)
class Student:
    """One student of a sweep; with a `mix` of 0 it learns from the labels alone."""

    seed: int
    mix: float
    temperature: float


@dataclass(frozen=True)
class Point:
    """A point of a student's curves: loss and figure of the batch that ends `step`."""

    student: Student
    step: int
    loss: float
    value: float


@dataclass(frozen=True)
class StudentResult:
    """What became of a student: its figure on validation, or None and the `trouble` it had.

    `recipe` trains the same student again.
    """

    student: Student
    recipe: Recipe
    value: float | None
    problem: str = ""


@dataclass(frozen=True)
class Level(Repeats):
    """All students of one temperature and mixing weight, a figure on validation for each seed."""

    temperature: float
    mix: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class _Done:
    student: Student
    weights: dict[str, Tensor] | None
    problem: str = ""


def student_grid(
    temperatures: Sequence[float], mixes: Sequence[float], seeds: Sequence[int]
) -> tuple[Student, ...]:
    """Return the students of a sweep: for each seed one of labels alone, then every combination.

    Raises
    ------
    RecipeError
        When one of the three is empty.
    """
    if not (temperatures and mixes and seeds):
        raise RecipeError("A sweep needs a temperature, a weight of the teacher and a seed.")
    found: list[Student] = []
    for seed in seeds:
        found.append(Student(seed, 0.0, 1.0))
        found += [Student(seed, m, t) for m, t in product(mixes, temperatures) if m]
    return tuple(dict.fromkeys(found))


class Sweep:
    """Trains `students` with `settings`, but for their own temperatures, weights and seeds.

    Parameters
    ----------
    learn
        Gives what there is to learn for a recipe, each time with a module of its own; called in
        the thread that trains. Built-in models: ``partial(lesson, model)``.
    settings
        Its `threads` is the number of cores to use.

    Raises
    ------
    RecipeError
        When a temperature, weight or seed is out of range, or `settings` name no teacher.
    """

    def __init__(
        self, learn: Callable[[Recipe], TrainingSetup], settings: Train, students: Iterable[Student]
    ) -> None:
        if not settings.teacher:
            raise RecipeError("A temperature sweep needs a teacher: name one.")
        self.learn = learn
        self.settings = settings
        self.students = tuple(students)
        self._trains = {student: self._train(student) for student in self.students}

    @property
    def steps(self) -> int:
        """The steps of all students together: as many points as `go` yields."""
        return self.settings.steps * len(self.students)

    def go(
        self, validate: Validate, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[Point | StudentResult]:
        """Yield a point for each student and step, and the outcome of each student when it ends.

        Parameters
        ----------
        validate
            Measures the figure of weights on validation, exactly.

        Raises
        ------
        Cancelled
            As soon as `cancelled()` answers True between two portions of a batch.
        """
        for event in self._events(cancelled):
            if isinstance(event, Point):
                yield event
            else:
                value = None if event.weights is None else validate(event.weights)
                yield StudentResult(event.student, self.recipe(event.student), value, event.problem)

    def recipe(self, student: Student) -> Recipe:
        """Return the recipe that trains `student` alone."""
        return Recipe(train=self._trains[student])

    def _train(self, student: Student) -> Train:
        return replace(
            self.settings,
            teacher=self.settings.teacher if student.mix else "",
            temperature=student.temperature,
            mix=student.mix,
            seed=student.seed,
            threads=1,
        )

    def _events(self, cancelled: Callable[[], bool]) -> Iterator[Point | _Done]:
        alone: list[Student] = []
        for _seed, group in groupby(sorted(self.students), key=lambda student: student.seed):
            same = list(group)
            lesson = self.learn(self.recipe(same[-1]))  # the first may have no teacher
            if stackable(lesson, self.settings):
                yield from self._stacked(lesson, same, cancelled)
            else:
                alone += same
        if alone:
            yield from self._side_by_side(alone, cancelled)

    def _stacked(
        self, setup: TrainingSetup, students: list[Student], cancelled: Callable[[], bool]
    ) -> Iterator[Point | _Done]:
        trains = [replace(self._trains[s], threads=self.settings.threads) for s in students]
        stack = StackedStudents(setup, trains)
        well = dict(enumerate(students))
        for scores in stack.go(cancelled):
            for number, student in list(well.items()):
                loss, right = scores[number]
                if isfinite(loss):
                    yield Point(student, stack.step, loss, right)
                else:
                    yield _Done(well.pop(number), None, _trouble(stack.step))
        for number, student in well.items():
            weights = stack.weights_of(number)
            sound = all(bool(weight.isfinite().all()) for weight in weights.values())
            yield _Done(student, *((weights,) if sound else (None, _trouble(stack.step))))

    def _side_by_side(
        self, students: list[Student], cancelled: Callable[[], bool]
    ) -> Iterator[Point | _Done]:
        """Train each on one core; fresh weights are drawn here, where no two draw at once."""
        lessons = [self.learn(self.recipe(student)) for student in students]
        events: SimpleQueue[Point | _Done | BaseException] = SimpleQueue()
        over = Event()

        def train(student: Student, setup: TrainingSetup) -> None:
            try:
                run = Run(setup, self.recipe(student))
                for now in run.go(cancelled=lambda: over.is_set() or cancelled()):
                    events.put(Point(student, now.step, now.loss, now.value))
                events.put(_Done(student, run.trained().weights))
            except TrainingError as error:
                events.put(_Done(student, None, str(error)))
            except BaseException as error:  # noqa: BLE001  # raised again where it is awaited
                events.put(error)

        cores = torch.get_num_threads()
        pool = ThreadPoolExecutor(
            self.settings.threads, "student", initializer=torch.set_num_threads, initargs=(1,)
        )
        try:
            for student, lesson in zip(students, lessons, strict=True):
                pool.submit(train, student, lesson)
            waiting = len(students)
            while waiting:
                event = events.get()
                if isinstance(event, BaseException):
                    raise event
                waiting -= isinstance(event, _Done)
                yield event
        finally:
            over.set()
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(cores)  # new threads copy what was set last, in any thread


def levels(students: Iterable[Student], outcomes: Iterable[StudentResult]) -> tuple[Level, ...]:
    """Return the students by mixing weight and temperature; those not yet done have no figure."""
    found: dict[tuple[float, float], list[float]] = {
        (student.mix, student.temperature): [] for student in students
    }
    for outcome in outcomes:
        if outcome.value is not None:
            found[outcome.student.mix, outcome.student.temperature].append(outcome.value)
    return tuple(Level(t, mix, tuple(got)) for (mix, t), got in sorted(found.items()))


def _trouble(step: int) -> str:
    return f"The loss was no longer a number at step {step}: choose a lower learning rate."
