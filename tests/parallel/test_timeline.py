"""Timelines: a rank waits until the last one arrives, and communicates from then on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from workbench.parallel.link import Link, messages, sent_bytes
from workbench.parallel.replay import replay
from workbench.parallel.result import ParallelTraining
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


def test_a_replay_of_more_ranks_than_cores_leaves_out_the_waiting_for_a_core():
    def step(number, late=0, disturbed=1):
        first = [span("compute", 0, 9, cpu=2 * disturbed), span("send", 9, 10 + late, "a", 8)]
        second = [span("receive", 0, 11 + late, "a", 8), span("compute", 12, 19, cpu=3)]
        return [{"step": number, "spans": spans} for spans in (first, second)]

    ranks = [*zip(step(0), step(1, late=50), step(2, disturbed=4), strict=True)]
    for simulated in replay(ranks, cores=1):
        assert simulated.seconds_of(0, "communicate") == 1
        assert simulated.seconds_of(1, "wait") == 2  # until the first sends
        assert simulated.seconds_of(1, "communicate") == 2
        assert simulated.seconds == 2 + 2 + 3
    undisturbed = replay(ranks, cores=2)
    assert [each.seconds_of(0, "compute") for each in undisturbed] == [2, 2, 8]
    assert undisturbed[0].seconds_of(0, "communicate") == pytest.approx(1 + 50 / 3)


def test_a_message_travels_while_its_receiver_computes():
    """Of two messages of 2 s, the receiver waits for the first; the second arrives earlier."""
    first = [
        span("compute", 0, 1),
        span("send", 1, 1.5, "a", 8),
        span("compute", 1.5, 3),
        span("send", 3, 3.5, "b", 8),
    ]
    second = [
        span("receive", 0, 3, "a", 8),
        span("compute", 3, 9),
        span("receive", 9, 9.25, "b", 8),
    ]

    def replayed(seconds):
        spans = [second[0], {**second[1], "cpu": seconds}, second[2]]
        (step,) = replay([[{"step": 0, "spans": each}] for each in (first, spans)], cores=2)
        return step

    assert replayed(6).seconds == 9.25
    assert replayed(6).seconds_of(1, "communicate") == 2 + 0.25
    soon = replayed(1)  # it asks 1 s after the message was sent
    assert soon.seconds == 3 + 2
    assert soon.seconds_of(1, "wait") == 1
    assert soon.seconds_of(1, "communicate") == 2 + 1


@pytest.mark.parametrize("cores", [1, 2])
def test_messages_of_a_replay_leave_one_after_the_other(cores):
    """The link takes 4 s for 8 bytes and 1 s of latency; the second message leaves at 5 s."""
    first = [
        span("compute", 0, 1),
        span("send", 1, 1, "a", 8),
        span("compute", 1, 2),
        span("send", 2, 2, "b", 8),
    ]
    second = [
        span("receive", 0, 6, "a", 8),
        span("compute", 6, 7),
        span("receive", 7, 10, "b", 8),
    ]
    ranks = [[{"step": 0, "spans": each}] for each in (first, second)]
    (step,) = replay(ranks, cores, Link(latency=1, bandwidth=2))
    assert step.seconds == 10
    sooner = [*first[:2], {**first[2], "cpu": 0.5}, first[3]]  # the link is still occupied
    (step,) = replay([[{"step": 0, "spans": sooner}], ranks[1]], cores, Link(1, 2))
    assert step.seconds == 10


def test_the_error_of_a_replay_compares_means():
    """One step of three has a communication that is 30 s longer."""
    steps = []
    for number in range(3):
        late = 30 if number == 2 else 0
        meet = span("all_reduce", 1, 2 + late, "a", 8)
        steps.append({"step": number, "spans": [span("compute", 0, 1), meet]})
    ranks = [steps, steps]
    result = SimpleNamespace(
        timelines=timelines(ranks, aligned=False),
        replays=replay(ranks, cores=2),
        plan=SimpleNamespace(ranks=2),
        cores=2,
    )
    result.replay_seconds_per_step = ParallelTraining.replay_seconds_per_step.fget(result)
    assert ParallelTraining.replay_error.fget(result) == pytest.approx(0)


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
