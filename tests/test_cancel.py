"""Tokens cancel work and report its progress."""

from __future__ import annotations

import pytest

from workbench.cancel import NEVER, CancelToken
from workbench.errors import Cancelled


def test_work_stops_at_its_next_check():
    token = CancelToken()
    token.check()
    token.cancel()
    with pytest.raises(Cancelled):
        token.check()


def test_a_callback_cancels_too():
    answers = iter([False, True])
    token = CancelToken(lambda: next(answers))
    token.check()
    with pytest.raises(Cancelled):
        token.check()


def test_progress_of_a_part_is_scaled_and_its_cancellation_shared():
    seen = []
    token = CancelToken(on_progress=seen.append)
    second = token.part(0.5, 1.0)
    second.progress(0.0)
    second.progress(0.5)
    assert seen == [0.5, 0.75]
    token.cancel()
    assert second.cancelled


def test_the_shared_token_cannot_be_cancelled():
    with pytest.raises(RuntimeError):
        NEVER.cancel()
    NEVER.check()
    NEVER.progress(0.5)
