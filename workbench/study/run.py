"""Run a study: ask its sampler for recipes, measure them, and check the front."""

from __future__ import annotations

import time
from contextlib import suppress
from math import inf
from pathlib import Path

from workbench.arguments import expect_path, expect_running
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.errors import InputError
from workbench.recipe.schema import brief
from workbench.study.costs import check_costs, timed_on
from workbench.study.executors.executor import Executor, InThisProcess
from workbench.study.goal import check_positive
from workbench.study.log import StudyLog, default_path
from workbench.study.result import StudyResult
from workbench.study.runner import OnUpdate, Runner, TimeIsUp
from workbench.study.samplers import SAMPLERS
from workbench.study.study import Study
from workbench.validation import expect_model


def run_study(
    model: Model,
    study: Study,
    *,
    log: Path | str | None = None,
    executor: Executor | None = None,
    seconds: float | None = None,
    on_update: OnUpdate = lambda result: None,
    cancel: CancelToken = NEVER,
) -> StudyResult:
    """Run a study, or continue it, and return its result.

    It can be killed at any time: with the same log, the same call goes on. No recipe is measured
    twice.

    With latency or energy among the objectives, this process times the files of each round, one
    after the other, when all of the round have been evaluated, so that no other recipe of the study
    runs meanwhile. This holds for each executor: with a Dask cluster as well, the times are those
    of this machine, which makes each file again for it, and trains it if it was trained elsewhere.
    Every file is timed once; equal files share the result, and the log holds it.

    Parameters
    ----------
    model, study
        The model, and the description of the study.
    log
        The file to append trials to; by default, one in the user's cache folder.
    executor
        Where recipes are evaluated; in this process by default.
    seconds
        After this time, no more recipes are measured, and the front is checked.
    on_update
        Called with the result so far after each trial.
    cancel
        Cancels the study; its log stays.

    Raises
    ------
    InputError
        If an argument is not possible, the study belongs to another model, the runtime of its
        target is not installed, there is no energy counter, or the log holds times of another
        machine.
    FileError
        If the log cannot be written, or another process runs the study.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> from workbench.study import Space, Study, run_study
    >>> model = wb.model("fashion/lenet-300-100")
    >>> study = Study.of(model, Space({"quantize.bits": [2, 4, 8]}), sampler="grid")
    >>> len(run_study(model, study).trials)
    3
    """
    expect_running(cancel, on_update=on_update)
    _check(study, executor)
    if seconds is not None:
        check_positive("seconds", seconds)
    if expect_model(model).identity != study.identity:
        raise InputError(
            f"The study belongs to {study.model} with weights or data that differ from those of "
            "this model.",
            code="study.other_model",
        )
    check_costs(study)
    machine = timed_on(study)
    path = default_path(study.digest, machine) if log is None else expect_path(log, "log")
    executor = executor or InThisProcess()
    with StudyLog(path, study.as_dict(), machine=machine) as lines:
        executor.open(model)
        try:
            runner = Runner(model, study, executor, lines, on_update, cancel)
            if seconds is not None:
                runner.deadline = time.monotonic() + seconds
            with suppress(TimeIsUp):
                _measure_all(model, study, runner)
            runner.deadline = None
            runner.check_front()
        finally:
            executor.close()
        return runner.result


def _check(study: object, executor: object) -> None:
    if not isinstance(study, Study):
        raise InputError(
            f"Pass a study, such as Study.of(model, space), not {brief(study)}.",
            code="study.not_a_study",
        )
    if executor is not None and not hasattr(executor, "submit"):
        raise InputError(
            f"executor must be Local(), Dask(ADDRESS) or None, not {brief(executor)}.",
            code="study.not_an_executor",
        )


def _measure_all(model: Model, study: Study, runner: Runner) -> None:
    """Measure rounds of recipes until the sampler has no more."""
    sampler = SAMPLERS[study.sampler]
    while study.recipes is None or len(runner.proposed) < study.recipes:
        remaining = inf if study.recipes is None else study.recipes - len(runner.proposed)
        recipes = sampler(model, study, runner.proposed, int(min(study.batch, remaining)))
        if not recipes:
            return
        runner.measure(recipes)
