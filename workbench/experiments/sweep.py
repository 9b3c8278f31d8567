"""The temperature sweep: train a student for each temperature, mixing weight and seed.

Students with the same seed start from the same weights and see the same batches. The teacher's
outputs are computed once. Each student equals what its recipe gives alone: bit-identical if trained
in parallel threads, up to float rounding if stacked.
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

from workbench.cancel import NEVER, CancelToken
from workbench.errors import RecipeError, TrainingError
from workbench.experiments.repeats import Repeats
from workbench.experiments.stacked_students import StackedStudents, stackable
from workbench.recipe import Recipe, Train
from workbench.training.run import Run
from workbench.training.types import TrainingSetup

Validate = Callable[[Mapping[str, Tensor]], float]


@dataclass(frozen=True, order=True)
class Student:
    """One student of a sweep. With a `mix` of 0 it learns from the labels only."""

    seed: int
    mix: float
    temperature: float


@dataclass(frozen=True)
class Point:
    """Loss and metric of a student on the batch of `step`."""

    student: Student
    step: int
    loss: float
    value: float


@dataclass(frozen=True)
class StudentResult:
    """The metric of a student on validation, or None and the `problem` that occurred.

    `recipe` trains the same student again.
    """

    student: Student
    recipe: Recipe
    value: float | None
    problem: str = ""


@dataclass(frozen=True)
class Level(Repeats):
    """All students of one temperature and mixing weight: the metric on validation for each seed."""

    temperature: float
    mix: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class _Trained:
    student: Student
    weights: dict[str, Tensor] | None
    problem: str = ""


def student_grid(
    temperatures: Sequence[float], mixes: Sequence[float], seeds: Sequence[int]
) -> tuple[Student, ...]:
    """Return all combinations and, for each seed, a student that learns from labels only.

    Raises
    ------
    RecipeError
        If one of the three is empty.
    """
    if not (temperatures and mixes and seeds):
        raise RecipeError(
            "A sweep needs a temperature, a weight of the teacher and a seed: pass at least one of "
            "each.",
            code="training.empty_sweep",
        )
    students: list[Student] = []
    for seed in seeds:
        students.append(Student(seed, 0.0, 1.0))
        students += [Student(seed, m, t) for m, t in product(mixes, temperatures) if m]
    return tuple(dict.fromkeys(students))


class Sweep:
    """Trains `students` with `settings`, except for their temperatures, weights and seeds.

    Parameters
    ----------
    make_setup
        Returns the training setup for a recipe, each time with a new module. It is called in the
        calling thread. Usually ``partial(training_setup, model)``.
    settings
        Its `threads` is the number of cores to use.

    Raises
    ------
    RecipeError
        If a temperature, weight or seed is out of range, or `settings` has no teacher.
    """

    def __init__(
        self,
        make_setup: Callable[[Recipe], TrainingSetup],
        settings: Train,
        students: Iterable[Student],
    ) -> None:
        if not settings.teacher:
            raise RecipeError(
                "A temperature sweep needs a teacher: set `teacher` to a model.",
                code="training.no_teacher",
            )
        self.make_setup = make_setup
        self.settings = settings
        self.students = tuple(students)
        self._trains = {student: self._train(student) for student in self.students}

    @property
    def steps(self) -> int:
        """The steps of all students together: the number of points that `go` yields."""
        return self.settings.steps * len(self.students)

    def go(
        self, validate: Validate, cancel: CancelToken = NEVER
    ) -> Iterator[Point | StudentResult]:
        """Yield a point for each student and step, and a result when a student has finished.

        Parameters
        ----------
        validate
            Returns the exact metric of weights on validation.

        Raises
        ------
        Cancelled
            If `cancel` is cancelled between two microbatches.
        """
        for event in self._events(cancel):
            if isinstance(event, Point):
                yield event
            else:
                value = None if event.weights is None else validate(event.weights)
                recipe = self.recipe(event.student)
                yield StudentResult(event.student, recipe, value, event.problem)

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

    def _events(self, cancel: CancelToken) -> Iterator[Point | _Trained]:
        parallel: list[Student] = []
        for _seed, group in groupby(sorted(self.students), key=lambda student: student.seed):
            students = list(group)
            setup = self.make_setup(self.recipe(students[-1]))  # the first may have no teacher
            if stackable(setup, self.settings):
                yield from self._stacked(setup, students, cancel)
            else:
                parallel += students
        if parallel:
            yield from self._in_parallel(parallel, cancel)

    def _stacked(
        self, setup: TrainingSetup, students: list[Student], cancel: CancelToken
    ) -> Iterator[Point | _Trained]:
        trains = [replace(self._trains[s], threads=self.settings.threads) for s in students]
        stack = StackedStudents(setup, trains)
        active = dict(enumerate(students))
        for scores in stack.go(cancel):
            for number, student in list(active.items()):
                loss, accuracy = scores[number]
                if isfinite(loss):
                    yield Point(student, stack.step, loss, accuracy)
                else:
                    yield _Trained(active.pop(number), None, _problem(stack.step))
        for number, student in active.items():
            weights = stack.weights_of(number)
            if all(bool(weight.isfinite().all()) for weight in weights.values()):
                yield _Trained(student, weights)
            else:
                yield _Trained(student, None, _problem(stack.step))

    def _in_parallel(
        self, students: list[Student], cancel: CancelToken
    ) -> Iterator[Point | _Trained]:
        """Train each student on one core.

        Setups are made here, one after another, because initializing weights is not thread-safe.
        """
        setups = [self.make_setup(self.recipe(student)) for student in students]
        events: SimpleQueue[Point | _Trained | BaseException] = SimpleQueue()
        stopped = Event()
        either = CancelToken(lambda: stopped.is_set() or cancel.cancelled)

        def train(student: Student, setup: TrainingSetup) -> None:
            try:
                run = Run(setup, self.recipe(student))
                for step in run.go(cancel=either):
                    events.put(Point(student, step.step, step.loss, step.value))
                events.put(_Trained(student, run.trained().weights))
            except TrainingError as error:
                events.put(_Trained(student, None, str(error)))
            except BaseException as error:  # noqa: BLE001  # raised again in the calling thread
                events.put(error)

        cores = torch.get_num_threads()
        pool = ThreadPoolExecutor(
            self.settings.threads, "student", initializer=torch.set_num_threads, initargs=(1,)
        )
        try:
            for student, setup in zip(students, setups, strict=True):
                pool.submit(train, student, setup)
            waiting = len(students)
            while waiting:
                event = events.get()
                if isinstance(event, BaseException):
                    raise event
                waiting -= isinstance(event, _Trained)
                yield event
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(cores)  # new threads copy the last value set in any thread


def levels(students: Iterable[Student], results: Iterable[StudentResult]) -> tuple[Level, ...]:
    """Return the results by mixing weight and temperature. Unfinished students have no value."""
    values: dict[tuple[float, float], list[float]] = {
        (student.mix, student.temperature): [] for student in students
    }
    for result in results:
        if result.value is not None:
            values[result.student.mix, result.student.temperature].append(result.value)
    return tuple(Level(t, mix, tuple(seeds)) for (mix, t), seeds in sorted(values.items()))


def _problem(step: int) -> str:
    return f"The loss was no longer finite at step {step}: choose a lower learning rate."
