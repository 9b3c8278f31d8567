"""Schedules of pipelines: complete, in a possible order, and as idle as their formula says."""

from __future__ import annotations

import pytest

from workbench.parallel.replay import idle_share, simulate
from workbench.parallel.schedules import (
    CHUNKS_PER_RANK,
    actions,
    idle_share as expected_idle_share,
    idle_share_of,
    stages,
)
from workbench.parallel.timeline import StepTimeline

CASES = [
    (schedule, ranks, factor * ranks)
    for schedule in CHUNKS_PER_RANK
    for ranks in (1, 2, 3, 4)
    for factor in (1, 2, 4)
]


def spans(schedule, rank, ranks, microbatches, backward=2.0, seconds=1.0):
    """Return what a rank does whose stages are equally long, with messages that take no time."""
    count = stages(schedule, ranks)
    result = []

    def message(kind, action, stage, peer):
        if peer % ranks != rank:
            key = f"{action.kind}:{stage}:{action.microbatch}"
            result.append({"kind": kind, "start": 0, "end": 0, "bytes": 1, "key": key})

    for action in actions(schedule, rank, ranks, microbatches):
        forward = action.kind == "F"
        before = action.stage - 1 if forward else action.stage + 1
        after = action.stage + 1 if forward else action.stage - 1
        if 0 <= before < count:
            message("receive", action, before, before)
        cpu = seconds * (1.0 if forward else backward) / CHUNKS_PER_RANK[schedule]
        label = f"{action.kind}{action.microbatch}"
        result.append({"kind": "compute", "cpu": cpu, "label": label, "key": "", "bytes": 0})
        if 0 <= after < count:
            message("send", action, action.stage, after)
    return result


@pytest.mark.parametrize(("schedule", "ranks", "microbatches"), CASES)
def test_every_stage_sees_every_microbatch_once_forward_then_backward(
    schedule, ranks, microbatches
):
    for rank in range(ranks):
        order = actions(schedule, rank, ranks, microbatches)
        own = [stage for stage in range(stages(schedule, ranks)) if stage % ranks == rank]
        everything = {
            (kind, stage, m) for kind in "FB" for stage in own for m in range(microbatches)
        }
        assert len(order) == len(everything)
        assert set(order) == everything
        for stage in own:
            for microbatch in range(microbatches):
                forward = order.index(("F", stage, microbatch))
                assert forward < order.index(("B", stage, microbatch))


@pytest.mark.parametrize(("schedule", "ranks", "microbatches"), CASES)
def test_a_simulated_pipeline_ends_and_idles_as_its_formula_says(schedule, ranks, microbatches):
    each = [spans(schedule, rank, ranks, microbatches) for rank in range(ranks)]
    step = StepTimeline(1, tuple(simulate(each, lambda _span, _since: 0.0)))
    computed = sum(interval.activity == "compute" for interval in step.intervals)
    assert computed == sum(span["kind"] == "compute" for rank in each for span in rank)
    chunks = CHUNKS_PER_RANK[schedule]
    expected = expected_idle_share(ranks, microbatches, chunks)
    assert idle_share(step, ranks) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seconds", [(1.0, 1.0), (1.0, 4.0), (3.0, 1.0, 2.0), (2.0, 2.0, 2.0, 5.0)])
@pytest.mark.parametrize("microbatches", [1, 4, 9])
def test_unequal_stages_idle_as_their_formula_says(seconds, microbatches):
    ranks = len(seconds)
    each = [
        spans("gpipe", rank, ranks, microbatches, seconds=seconds[rank]) for rank in range(ranks)
    ]
    step = StepTimeline(1, tuple(simulate(each, lambda _span, _since: 0.0)))
    expected = idle_share_of([3.0 * microbatches * each for each in seconds], microbatches)
    assert idle_share(step, ranks) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_equal_ranks_of_interleaved_stages_idle_as_their_formula_says(chunks):
    assert idle_share_of([1.5] * 3, 4, chunks) == pytest.approx(2 / (4 * chunks + 2))
    step = 3 + 1 / (4 * chunks)  # of ranks that compute for 3 s and 1 s
    assert idle_share_of([3.0, 1.0], 4, chunks) == pytest.approx(1 - 4 / (2 * step))


def test_1f1b_holds_few_microbatches_at_a_time():
    for rank in range(4):
        held = most = 0
        for action in actions("1f1b", rank, 4, 16):
            held += 1 if action.kind == "F" else -1
            most = max(most, held)
        assert most == 4 - rank
