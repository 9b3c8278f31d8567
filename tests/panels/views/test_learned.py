"""What the page says about a model that was trained on the user's data."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.panels.views.learned import learned
from workbench.plots.palette import LIGHT


@pytest.mark.slow
@pytest.mark.parametrize("is_noise", [True, False])
def test_a_model_that_is_no_better_than_guessing_comes_with_advice(is_noise):
    generator = np.random.default_rng(0)
    number = generator.normal(size=200).round(3)
    answer = generator.normal(size=200) if is_noise else number
    table = {"number": number, "answer": np.where(answer > 0, "yes", "no").tolist()}
    model = wb.from_table(table, target="answer", name=f"noise-{is_noise}", seconds=1)
    poor = learned(model, LIGHT)["poor"]
    assert poor.endswith("give it more data, or data that say more about the answer.") is is_noise
    assert bool(poor) is is_noise
