"""Modules composed at random: all numbers are true, and refusals are right."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import Phase, given, note, settings

from tests.field.check import examine
from tests.field.compose import plans
from tests.field.data import task_of
from tests.field.recipes import recipes

EXAMPLES = 60


@pytest.mark.filterwarnings("ignore")
def test_what_is_composed_at_random_is_measured_truly_or_refused_rightly(tmp_path):
    counted = Counter()

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
              phases=(Phase.explicit, Phase.generate))  # fmt: skip
    @given(plans())
    def each(plan):
        note(repr(plan))
        verdict = examine(plan.subject(), recipes(plan.seed, task_of(plan.start)), tmp_path)
        assert not verdict.faults, "\n".join(["", *verdict.faults])
        assert bool(verdict.refusal) == bool(plan.refused), verdict.refusal
        assert re.search(plan.refused, verdict.refusal, re.IGNORECASE), verdict.refusal
        counted["refused" if verdict.refusal else "measured"] += 1

    each()
    assert counted["measured"] >= 0.9 * counted.total(), counted
