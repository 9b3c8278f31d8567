"""Plans: every combination that cannot run is refused with a reason."""

from __future__ import annotations

import json

import pytest

from tests.raises import raises
from workbench.parallel.plan import Plan

REFUSED = [
    ({"strategy": "magic"}, "parallel.unknown_choice"),
    ({"strategy": ["data"]}, "parallel.unknown_choice"),
    ({"ranks": 0}, "parallel.out_of_range"),
    ({"ranks": 5}, "parallel.out_of_range"),
    ({"ranks": 2.0}, "parallel.out_of_range"),
    ({"ranks": True}, "parallel.out_of_range"),
    ({"latency_ms": -1}, "parallel.out_of_range"),
    ({"latency_ms": float("nan")}, "parallel.out_of_range"),
    ({"speed": 3}, "parallel.unknown_setting"),
    ({"shards": (32, 31)}, "parallel.invalid_shards"),
    ({"shards": (64,)}, "parallel.invalid_shards"),
    ({"shards": (0, 64)}, "parallel.invalid_shards"),
    ({"shards": "64"}, "parallel.invalid_shards"),
    ({"strategy": "pipeline", "shards": (32, 32)}, "parallel.shards_need_replicas"),
    ({"strategy": "zero3", "sync": "never"}, "parallel.sync_needs_replicas"),
    ({"strategy": "tensor", "batch_norm": "per_rank"}, "parallel.norms_need_replicas"),
    ({"batch": 1}, "parallel.batch_too_small"),
    ({"strategy": "pipeline", "batch": 2}, "parallel.batch_too_small"),
    (
        {"strategy": "pipeline", "schedule": "interleaved", "microbatches": 3},
        "parallel.microbatches_not_a_multiple",
    ),
    ({"ranks": 1, "machines": 2}, "parallel.too_few_ranks"),
]


@pytest.mark.parametrize(("settings", "code"), REFUSED)
def test_refused(settings, code):
    with raises(code):
        Plan.of(settings)


def test_shards_are_equal_up_to_one_and_add_up():
    assert Plan(ranks=3, batch=64).sizes == (22, 21, 21)
    assert Plan(shards=(50, 14)).sizes == (50, 14)


def test_json_round_trip():
    plan = Plan(ranks=3, batch=9, shards=(1, 2, 6), sync="every_k", latency_ms=0.5)
    values = json.loads(json.dumps(plan.as_dict()))
    assert Plan.of(values) == plan
