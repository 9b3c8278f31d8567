"""The parallel training run of a session: how far it is, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.cancel import CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _
from workbench.parallel.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.cache.results import ResultCache
    from workbench.domain import Model
    from workbench.parallel.result import ParallelTraining, Record


@dataclass(frozen=True)
class ParallelRun:
    """A run as far as it is known.

    Attributes
    ----------
    records : tuple of Record
        The weights compared so far, of all ranks and of the single process.
    completed : float
        The fraction of all steps that are done.
    result : ParallelTraining or None
        Once the run has ended.
    waiting : bool
        Whether it waits for another run on this machine.
    stopped : bool
        Whether it was cancelled.
    error : str
        Why it failed, or empty.
    key : str
        The key under which the result is kept, or empty.
    """

    plan: Plan
    repeats: int = 1
    records: tuple[Record, ...] = ()
    completed: float = 0.0
    result: ParallelTraining | None = None
    waiting: bool = False
    stopped: bool = False
    error: str = ""
    key: str = ""

    @property
    def running(self) -> bool:
        """Whether the run has not ended."""
        return self.result is None and not self.stopped and not self.error


def run_in_parallel(
    model: Model,
    settings: Mapping[str, Any],
    repeats: int,
    cancel: CancelToken,
    publish: Callable[[ParallelRun], None],
    store: ResultCache,
) -> None:
    """Train `model` on several ranks, publish each change of the run, and keep its result.

    Raises
    ------
    InputError
        If a setting is not allowed.
    """
    run = ParallelRun(Plan.of(settings), repeats)
    publish(run)
    from workbench.parallel.kept import keep_run
    from workbench.parallel.train import train_in_parallel  # loads torch

    def on_record(record: Record) -> None:
        nonlocal run
        run = replace(run, records=(*run.records, record), waiting=False)
        publish(run)

    def on_wait() -> None:
        nonlocal run
        run = replace(run, waiting=True)
        publish(run)

    def on_progress(completed: float) -> None:
        nonlocal run
        run = replace(run, completed=completed)

    token = CancelToken(lambda: cancel.cancelled, on_progress)
    try:
        result = train_in_parallel(
            model,
            repeats=repeats,
            exact=model.task.metric.counts == "classes",
            on_record=on_record,
            on_wait=on_wait,
            cancel=token,
            **run.plan.as_dict(),
        )
    except Cancelled:
        run = replace(run, stopped=True)
    except WorkbenchError as error:
        run = replace(run, error=str(error))
    except BaseException:  # the banner names it
        publish(replace(run, error=_("The run has ended with an unexpected error.")))
        raise
    else:
        key = keep_run(model, result, store)
        run = replace(run, result=result, completed=1.0, key=key)
    publish(run)


def read_run(model: Model, key: str, store: ResultCache) -> ParallelRun:
    """Return a finished run of `model` that was kept; one that says so if it is not kept."""
    from workbench.parallel.kept import kept_run

    result = kept_run(model, key, store)
    if result is None:
        text = _("The results of this run are not kept here: train again to see them.")
        return ParallelRun(Plan(), error=text)
    return ParallelRun(
        result.plan, len(result.digests), result.records, 1.0, result=result, key=key
    )
