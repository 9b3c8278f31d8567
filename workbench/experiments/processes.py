"""Jobs side by side in processes of their own.

Started afresh and never forked, because PyTorch's threads do not survive a fork. loky starts them
without running the caller's script again, ends them at once when nobody waits any more, and says
so when one dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool

from workbench.errors import Cancelled, TrainingError
from workbench.experiments.job import Job, Outcome, run_job, run_job_with_teacher, user_teacher
from workbench.validation import expect_count

POLL = 0.1
"""Seconds between two looks at whether somebody still waits."""
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def run_jobs(
    jobs: Sequence[Job], processes: int | None, cancelled: Callable[[], bool]
) -> Iterator[tuple[int, Outcome]]:
    """Yield the number and outcome of each job, in the order in which they are done.

    Parameters
    ----------
    processes
        How many work side by side; None is as many as there are cores. One is this process.

    Raises
    ------
    Cancelled
        Soon after `cancelled()` answers True.
    RecipeError
        When `processes` is no number from 1 up.
    TrainingError
        When a process dies.
    """
    from joblib import cpu_count

    most = cpu_count() if processes is None else expect_count(processes, "The number of processes")
    workers = min(most, len(jobs))
    if workers > 1:
        yield from _side_by_side(jobs, workers, cancelled)
        return
    for number, job in enumerate(jobs):
        yield number, run_job(job, cancelled)


def _side_by_side(
    jobs: Sequence[Job], workers: int, cancelled: Callable[[], bool]
) -> Iterator[tuple[int, Outcome]]:
    from joblib.externals.loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(max_workers=workers, env=ENVIRONMENT)
    try:
        numbers = {
            pool.submit(run_job_with_teacher, run_job, job, user_teacher(job)): number
            for number, job in enumerate(jobs)
        }
        waiting = set(numbers)
        while waiting:
            done, waiting = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
            for future in done:
                yield numbers[future], future.result()
            if waiting and cancelled():
                raise Cancelled("Training was stopped.")
    except BrokenProcessPool as error:
        raise TrainingError(
            "A process that trained has died, perhaps for want of memory: try fewer processes."
        ) from error
    finally:
        pool.shutdown(wait=True, kill_workers=True)
