"""Random compositions of blocks: all reported numbers and all refusals are correct."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import Phase, example, given, note, seed, settings

from tests.field.check import examine
from tests.field.compose import Plan, plans
from tests.field.data import task_of
from tests.field.recipes import recipes

EXAMPLES = 30
FAILED_BEFORE = (
    Plan(  # an expert that receives no examples
        "words", 8, ("in place", "experts", "pre-activation", "orthogonal"), 2, False,
        "model output", "frozen", 967,
    ),
    Plan(
        "pictures", 8, ("experts", "float64 statistics"), 15, False, "tuple", "DataParallel", 735
    ),
    Plan(  # outputs that depend on the memory order of weights
        "words", 6, ("as strided", "causal mask", "twice"), 8, False, "tensor", "channels last", 957
    ),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_random_compositions_are_measured_or_refused_correctly(tmp_path):
    counts = Counter()

    @seed(0)  # else the compositions change with the source code of `each`
    @settings(max_examples=EXAMPLES, database=None, deadline=None,
              phases=(Phase.explicit, Phase.generate))  # fmt: skip
    @given(plans())
    @example(FAILED_BEFORE[0])
    @example(FAILED_BEFORE[1])
    @example(FAILED_BEFORE[2])
    def each(plan):
        note(repr(plan))
        result = examine(plan.subject(), recipes(plan.seed, task_of(plan.start)), tmp_path)
        assert not result.faults, "\n".join(["", *result.faults])
        assert bool(result.refusal) == bool(plan.refused), result.refusal
        assert re.search(plan.refused, result.refusal, re.IGNORECASE), result.refusal
        counts["refused" if result.refusal else "measured"] += 1

    each()
    assert counts["measured"] >= 0.9 * counts.total(), counts
