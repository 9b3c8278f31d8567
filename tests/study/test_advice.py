"""What to do next fits the limit that is missed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from workbench.recipe import Quantize, Recipe, Train
from workbench.study.goal import Goal
from workbench.study.reasons import advice
from workbench.study.trial import EXACT, Trial

SMALL = Trial(Recipe(Quantize(2)), EXACT, 5_000, value=0.6, accuracy=0.6, total=5000)
LARGE = Trial(Recipe(Quantize(8)), EXACT, 25_000, value=0.86, accuracy=0.86, total=5000)
TRAINED = Trial(Recipe(train=Train(1)), EXACT, 90_000, value=0.87, accuracy=0.87, total=5000)


@pytest.mark.parametrize(
    ("best", "limits", "trials", "expected"),
    [
        (LARGE, (20_000, 0.85, None), [SMALL], "With more seconds, one of them is fine-tuned;"),
        (LARGE, (20_000, 0.85, None), [SMALL, TRAINED], "is fine-tuned for longer"),
        (LARGE, (20_000, None, None), [], "The smallest file of all recipes tried has 25,000"),
        (LARGE, (30_000, 0.9, None), [SMALL], "Fine-tuning was not tried in this time"),
        (LARGE, (30_000, 0.85, 1.0), [SMALL], "fine-tuning makes no file faster"),
    ],
)
def test_the_advice_fits_the_limit(tiny, best, limits, trials, expected):
    goal = Goal.of(tiny, *limits)
    (text,) = advice(best, goal, SimpleNamespace(trials=[best, *trials]), complete=False)
    assert expected in text
    too_large = goal.max_bytes is not None and best.bytes > goal.max_bytes
    assert not (too_large and text.startswith("Fine-tuning"))
