"""Measure rounds of recipes, log each trial, and check the front."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.errors import Cancelled
from workbench.evaluation.uncompressed_file import uncompressed_bytes
from workbench.recipe import Recipe
from workbench.study.costs import time_file
from workbench.study.executors.executor import Executor
from workbench.study.front import pareto_front
from workbench.study.log import StudyLog
from workbench.study.measurement import SPLIT, Job, Rival, best_rival
from workbench.study.result import StudyResult
from workbench.study.study import Study
from workbench.study.trial import UNLIKELY, Trial

OnUpdate = Callable[[StudyResult], None]


class TimeIsUp(Exception):
    """Ends the measurement of further recipes."""


class Runner:
    """The trials of a study so far, and the means to measure more.

    Attributes
    ----------
    proposed : list of Trial
        In the order of proposals, as they were when the next ones were proposed.
    final : list of Trial
        The same, with the exact trials that followed estimates.
    deadline : float or None
        The value of `time.monotonic` at which `measure` ends.
    known : set of str
        The recipes, as JSON, of trials that were not measured here.
    counts : callable
        Whether a trial may be a rival of others: one that is too slow excludes none.
    """

    def __init__(
        self,
        model: Model,
        study: Study,
        executor: Executor,
        log: StudyLog,
        on_update: OnUpdate = lambda result: None,
        cancel: CancelToken = NEVER,
    ) -> None:
        self.proposed: list[Trial] = []
        self.final: list[Trial] = []
        self.deadline: float | None = None
        self.known: set[str] = set()
        self.counts: Callable[[Trial], bool] = lambda trial: True
        self._model, self._study = model, study
        self._executor, self._log = executor, log
        self._on_update, self._cancel = on_update, cancel
        self._total = len(model.task.split(SPLIT))
        self._index: dict[str, int] = {}
        self._examples: dict[str, int] = {}

    @property
    def result(self) -> StudyResult:
        """The result so far."""
        return StudyResult(
            self._study,
            tuple(self.final),
            self._model.task.metric,
            (uncompressed_bytes(self._model), self._model.metric_value(SPLIT)),
            sum(self._examples.values()),
            self._total,
            len(self.known),
        )

    def measure(
        self,
        recipes: Sequence[Recipe],
        *,
        min_value: float | None = None,
        exactly: bool = False,
    ) -> list[Trial]:
        """Measure recipes with the same rivals, and return their trials in the same order.

        Those in the log are not measured again. If the study times files, there are no rivals, and
        files are timed after all have been evaluated, one after the other in this process.

        Parameters
        ----------
        min_value
            Evaluations end when the metric cannot reach it.
        exactly
            Evaluate every example, without rivals and limits.

        Raises
        ------
        TimeIsUp
            At the deadline. Trials that have ended are part of the result.
        Cancelled
            If the study is cancelled.
        """
        keys = [recipe.to_json() for recipe in recipes]
        known = self._log.trials
        rivals = () if exactly else self._rivals()
        limit = None if exactly else self._study.max_bytes
        jobs = [
            Job(recipe, rivals, limit, min_value=min_value)
            for key, recipe in zip(keys, recipes, strict=True)
            if key not in known or (exactly and not self._latest(key).exact)
        ]
        try:
            self._run(jobs)
        finally:
            self._add([key for key in keys if key in known])
        self._time(keys)
        return [known[key] for key in keys]

    def add_known(self, trials: Iterable[Trial]) -> None:
        """Add exact trials of earlier work: they are rivals of those measured here."""
        for trial in trials:
            if trial.key not in self._log.trials or not self._latest(trial.key).exact:
                self._log.add(trial)
            self.known.add(trial.key)
            self._add([trial.key])

    def check_front(self) -> None:
        """Measure all trials again that only an estimate excluded and that may reach the front.

        Files that are not timed yet are timed first.

        Raises
        ------
        TimeIsUp
            At the deadline.
        """
        self._time([trial.key for trial in self.final])
        while doubtful := self._doubtful():
            rivals, limit = self._rivals(), self._study.max_bytes
            self._run([Job(t.recipe, rivals, limit, certainly=True) for t in doubtful])
            self._add([trial.key for trial in doubtful])

    def _add(self, keys: Sequence[str]) -> None:
        """Add the trials of recipes in the log, or replace them by the exact ones."""
        for key in keys:
            index = self._index.setdefault(key, len(self.final))
            self.proposed[index : index + 1] = [self._log.trials[key]]
            self.final[index : index + 1] = [self._latest(key)]
            if key in self.known:
                continue
            checked = self._log.checked.get(key)
            self._examples[key] = self._log.trials[key].examples
            self._examples[key] += 0 if checked is None else checked.examples

    def _latest(self, key: str) -> Trial:
        return self._log.checked.get(key, self._log.trials[key])

    def _time(self, keys: Sequence[str]) -> None:
        """Time the exact files of recipes, each once."""
        if not self._study.is_timed:
            return
        for key in keys:
            trial = self._latest(key)
            timed = trial.exact and trial.file not in self._log.costs
            if timed:
                with self._until_late() as token:
                    cost = time_file(self._model, self._study, trial, token)
                self._log.add_cost(trial.file, cost)
            self._add([key])
            if timed:
                self._on_update(self.result)

    def _rivals(self) -> tuple[Rival, ...]:
        # A file that is smaller and better may be slower, so it excludes none.
        if self._study.is_timed:
            return ()
        return rivals_of(filter(self.counts, self.final), self._model)

    def _doubtful(self) -> list[Trial]:
        metric, rivals = self._model.task.metric, self._rivals()

        def may_reach(trial: Trial) -> bool:
            rival = best_rival(rivals, trial.bytes, metric)
            if rival is None:
                return True
            return metric.sort_key(trial.possible) > metric.sort_key(rival.value)

        return [trial for trial in self.final if trial.state == UNLIKELY and may_reach(trial)]

    def _run(self, jobs: Sequence[Job]) -> None:
        """Measure jobs, and log each as it ends."""
        if not jobs:
            return
        with self._until_late() as token:
            for number, job in enumerate(jobs):
                self._executor.submit(number, job)
            ended: list[Trial] = []
            for _number, trial in self._executor.results(token):
                self._log.add(trial)
                ended.append(trial)
                so_far, examples = self.result, sum(trial.examples for trial in ended)
                trials = (*so_far.trials, *ended)
                examples += so_far.examples
                self._on_update(replace(so_far, trials=trials, examples=examples))

    @contextmanager
    def _until_late(self) -> Iterator[CancelToken]:
        """Give a token that is cancelled at the deadline, and raise `TimeIsUp` then."""
        if self._is_late():
            raise TimeIsUp
        try:
            yield CancelToken(lambda: self._cancel.cancelled or self._is_late())
        except Cancelled:
            self._cancel.check()
            raise TimeIsUp from None

    def _is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline


def rivals_of(trials: Iterable[Trial], model: Model) -> tuple[Rival, ...]:
    """Return the front of trials as rivals of further ones."""
    front = pareto_front(trials, model.task.metric)
    return tuple(Rival(t.bytes, t.value, t.correct) for t in front if t.value is not None)
