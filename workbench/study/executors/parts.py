"""Divide the jobs of a round among the workers of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from workbench.study.measurement import Job

Numbered = tuple[int, Job]

PART_SECONDS = 1.0
"""How long the jobs of a part take together at most. A task costs some 5 ms of processor time in
scheduler, client and worker; a worker that dies, and one that is cancelled, loses its part."""


def first_part(jobs: Sequence[Numbered], workers: int, seconds: float) -> Sequence[Numbered]:
    """Return the jobs that are sent next as one task.

    So that no worker waits long for others at the end, a part holds at most half of a worker's
    share of the jobs that are left (guided self-scheduling: Polychronopoulos and Kuck, 1987).
    A recipe with training is a part of its own.

    Parameters
    ----------
    jobs
        Those that are left, in the order in which they are sent, each with its number.
    workers
        How many jobs run at the same time.
    seconds
        How long a job takes; 0 if that is not known yet, which gives single jobs.
    """
    most = max(1, int(PART_SECONDS / seconds)) if seconds else 1
    count = min(most, ceil(len(jobs) / (2 * max(1, workers))))
    if any(job.recipe.train is not None for _number, job in jobs[:count]):
        count = 1
    return jobs[:count]


def may_wait(jobs: Sequence[Numbered], workers: int, seconds: float) -> bool:
    """Whether the next part may be sent to a worker that still measures, and wait there.

    So that the worker has it at once when it is free. Jobs that take longer than a part wait here
    for the first worker that is free, and so do the last ones.

    Parameters
    ----------
    jobs, workers, seconds
        As for `first_part`.
    """
    return 0 < seconds < PART_SECONDS and len(jobs) > workers and jobs[0][1].recipe.train is None
