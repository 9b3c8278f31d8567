"""Timelines: a rank waits until the last one arrives, and communicates from then on."""

from __future__ import annotations

import pytest

from workbench.parallel.link import Link, messages, sent_bytes
from workbench.parallel.replay import replay
from workbench.parallel.timeline import timelines


def span(kind, start, end, key="", nbytes=0, cpu=None):
    return {
        "kind": kind,
        "start": start,
        "end": end,
        "cpu": end - start if cpu is None else cpu,
        "bytes": nbytes,
        "key": key,
        "label": "",
    }


FAST = [span("compute", 0, 1), span("all_reduce", 1, 5, "a", 8), span("compute", 5, 6)]
SLOW = [span("compute", 0, 4), span("all_reduce", 4, 5, "a", 8), span("compute", 5, 7)]
RANKS = [[{"step": 0, "spans": FAST}], [{"step": 0, "spans": SLOW}]]


def test_waiting_ends_when_the_last_rank_arrives():
    (step,) = timelines(RANKS, aligned=False)
    assert step.seconds == 7
    assert [step.seconds_of(0, a) for a in ("compute", "communicate", "wait")] == [2, 1, 3]
    assert [step.seconds_of(1, a) for a in ("compute", "communicate", "wait")] == [6, 1, 0]


def test_a_replay_of_undisturbed_spans_is_the_timeline():
    (measured,) = timelines(RANKS, aligned=False)
    (simulated,) = replay(RANKS, cores=2)
    assert simulated.seconds == measured.seconds
    for activity in ("compute", "communicate", "wait"):
        for rank in (0, 1):
            assert simulated.seconds_of(rank, activity) == measured.seconds_of(rank, activity)


def test_a_replay_uses_processor_time_and_not_the_time_that_others_took():
    shared = [span("compute", 0, 9, cpu=1), *FAST[1:]]
    moved = [{**s, "start": s["start"] + 8, "end": s["end"] + 8} for s in SLOW[1:]]
    ranks = [[{"step": 0, "spans": shared}], [{"step": 0, "spans": [SLOW[0], *moved]}]]
    (simulated,) = replay(ranks, cores=2)
    assert simulated.seconds_of(0, "compute") == 2


@pytest.mark.parametrize(
    ("kind", "payload", "ranks", "expected"),
    [
        ("all_reduce", 100, 4, 150),
        ("all_gather", 25, 4, 75),
        ("reduce_scatter", 100, 4, 75),
        ("send", 100, 4, 100),
        ("receive", 100, 4, 0),
        ("all_reduce", 100, 1, 0),
    ],
)
def test_ring_algorithms(kind, payload, ranks, expected):
    assert sent_bytes(kind, payload, ranks) == expected


def test_an_all_reduce_sends_what_a_reduce_scatter_and_an_all_gather_send():
    for ranks in (2, 3, 4):
        parts = sent_bytes("reduce_scatter", 1200, ranks)
        parts += sent_bytes("all_gather", 1200 // ranks, ranks)
        assert sent_bytes("all_reduce", 1200, ranks) == pytest.approx(parts)
        two = messages("reduce_scatter", ranks) + messages("all_gather", ranks)
        assert messages("all_reduce", ranks) == two


def test_a_simulated_link_adds_latency_and_transfer():
    assert Link(0.001, 1e6).seconds("send", 2000, 2) == pytest.approx(0.003)
    assert Link().seconds("all_reduce", 10**9, 4) == 0
