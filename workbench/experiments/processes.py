"""Run jobs in parallel processes.

Processes are spawned, not forked, because PyTorch's threads do not survive a fork. loky spawns
without running the caller's script again, kills workers on shutdown, and reports dead workers.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

import psutil

from workbench.cancel import CancelToken
from workbench.errors import Cancelled, TrainingError
from workbench.experiments.job import Job, Outcome, run_job, run_job_with_teacher, user_teacher
from workbench.validation import expect_count

POLL = 0.1
"""Seconds between two polls of `cancelled`."""
WATCH = 1.0
"""Seconds between two looks whether the parent of a worker still runs."""
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def run_jobs(
    jobs: Sequence[Job], processes: int | None, cancel: CancelToken
) -> Iterator[tuple[int, Outcome]]:
    """Yield the index and outcome of each job, in order of completion.

    Parameters
    ----------
    processes
        Number of worker processes; None for one per core. With 1, jobs run in this process.

    Raises
    ------
    Cancelled
        Soon after `cancel` is cancelled.
    RecipeError
        If `processes` is not an integer of at least 1.
    TrainingError
        If a worker process dies.
    """
    from joblib import cpu_count

    limit = cpu_count() if processes is None else expect_count(processes, "The number of processes")
    workers = min(limit, len(jobs))
    if workers > 1:
        yield from _in_parallel(jobs, workers, cancel)
        return
    for number, job in enumerate(jobs):
        yield number, run_job(job, cancel)


def _in_parallel(
    jobs: Sequence[Job], workers: int, cancel: CancelToken
) -> Iterator[tuple[int, Outcome]]:
    from joblib.externals.loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(
        workers, env=ENVIRONMENT, initializer=end_with, initargs=(os.getpid(),)
    )
    try:
        numbers = {
            pool.submit(run_job_with_teacher, run_job, job, user_teacher(job)): number
            for number, job in enumerate(jobs)
        }
        waiting = set(numbers)
        while waiting:
            completed, waiting = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
            for future in completed:
                yield numbers[future], future.result()
            if waiting and cancel.cancelled:
                raise Cancelled("Training was stopped.")
    except BrokenProcessPool as error:
        raise TrainingError(
            "A training process has died, perhaps from lack of memory: use fewer processes.",
            code="training.process_died",
        ) from error
    finally:
        pool.shutdown(wait=True, kill_workers=True)


def end_with(parent: int) -> None:
    """End this worker soon after its parent, which cannot end it if it is killed."""

    def watch() -> None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(parent)
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
