"""The fields that decide are named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.study import Space, Study, importances, run_study
from workbench.study.importance import importance_sentence
from workbench.study.trial import EXACT, Trial


@pytest.fixture
def result(small):
    """A study whose metric depends on the sparsity alone."""
    space = Space(
        {
            "quantize.bits": [2, 4, 8],
            "prune.sparsity": [0.1, 0.3, 0.5, 0.7, 0.9],
            "prune.scope": ["global", "uniform"],
        }
    )
    study = Study.of(small, Space({"quantize.bits": [8]}), sampler="grid")
    trials = tuple(
        Trial(recipe, EXACT, 1000, value=1 - recipe.prune.sparsity, first=0.0) for recipe in space
    )
    return replace(run_study(small, study), study=replace(study, space=space), trials=trials)


@pytest.mark.slow
def test_the_field_that_decides_has_the_largest_share(result):
    shares = importances(result)
    assert next(iter(shares)) == "prune.sparsity"
    assert shares["prune.sparsity"] > 0.95
    assert sum(shares.values()) == pytest.approx(1)
    assert importance_sentence(result).index("sparsity") < importance_sentence(result).index("then")


def test_few_trials_say_nothing(result):
    few = replace(result, trials=result.trials[:5])
    assert importances(few) == {}
    assert importance_sentence(few) is None
