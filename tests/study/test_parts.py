"""The jobs of a round for a cluster: all are sent once, and no worker waits long for others."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

import workbench as wb
from workbench.study.executors.parts import PART_SECONDS, first_part, may_wait
from workbench.study.measurement import Job

FAST = Job(wb.Recipe(wb.Quantize(4)))
TRAINED = Job(wb.Recipe(wb.Quantize(4), train=wb.Train()))


def parts(jobs, workers, seconds):
    while jobs:
        part = first_part(jobs, workers, seconds)
        yield part
        jobs = jobs[len(part) :]


def sizes(jobs: list[Job], workers: int, seconds: float) -> list[int]:
    return [len(part) for part in parts(list(enumerate(jobs)), workers, seconds)]


@pytest.mark.parametrize(
    ("count", "workers", "seconds", "expected"),
    [
        (16, 2, 0.01, [4, 3, 3, 2, 1, 1, 1, 1]),
        (4, 2, 0.01, [1, 1, 1, 1]),
        (8, 2, 0.0, [1] * 8),  # how long one takes is not known
        (8, 2, 10.0, [1] * 8),
        (8, 0, 0.01, [4, 2, 1, 1]),
    ],
)
def test_fast_jobs_share_a_task_and_the_last_are_single(count, workers, seconds, expected):
    assert sizes([FAST] * count, workers, seconds) == expected


def test_a_recipe_with_training_is_a_part_of_its_own():
    assert sizes([FAST] * 4 + [TRAINED] * 12, 1, 0.01)[-12:] == [1] * 12


@given(
    st.lists(st.sampled_from([FAST, TRAINED])),
    st.integers(0, 9),
    st.floats(0, 2, allow_subnormal=False),
)
def test_each_job_is_sent_once_and_in_order(jobs, workers, seconds):
    numbered = list(enumerate(jobs))
    sent = [job for part in parts(numbered, workers, seconds) for job in part]
    assert sent == numbered
    assert all(
        len(part) == 1 or len(part) * seconds <= PART_SECONDS
        for part in parts(numbered, workers, seconds)
    )


@pytest.mark.parametrize(
    ("jobs", "workers", "seconds", "expected"),
    [
        ([FAST] * 3, 2, 0.1, True),
        ([FAST] * 2, 2, 0.1, False),  # the last jobs go to the first worker that is free
        ([FAST] * 3, 2, 0.0, False),  # how long one takes is not known
        ([FAST] * 3, 2, 2 * PART_SECONDS, False),
        ([TRAINED, FAST, FAST], 2, 0.1, False),
        ([FAST, TRAINED, TRAINED], 2, 0.1, True),
    ],
)
def test_only_fast_jobs_wait_at_a_worker_and_not_the_last(jobs, workers, seconds, expected):
    assert may_wait(list(enumerate(jobs)), workers, seconds) == expected
