"""The estimate of how long a measurement still takes."""

from __future__ import annotations

import pytest

from workbench.panels.remaining_time import RemainingTime


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_the_time_before_the_first_result_does_not_count(clock):
    remaining = RemainingTime(clock)
    clock.now = 60.0  # the file was created
    assert remaining.seconds("recipe", 176, 5000) is None
    clock.now = 60.1
    assert remaining.seconds("recipe", 200, 5000) is None  # too early for a rate
    clock.now = 62.0
    assert remaining.seconds("recipe", 1176, 5000) == pytest.approx(2 * 3824 / 1000)


def test_another_measurement_begins_anew(clock):
    remaining = RemainingTime(clock)
    remaining.seconds("one", 100, 1000)
    clock.now = 10.0
    assert remaining.seconds("other", 500, 1000) is None
    clock.now = 15.0
    assert remaining.seconds("other", 300, 1000) is None  # the same recipe was measured again
    clock.now = 16.0
    assert remaining.seconds("other", 650, 1000) == pytest.approx(1.0)
