"""What the page says about presets, and about files that are no better than guessing."""

from __future__ import annotations

import pytest

from workbench.recipe import Prune, Recipe


@pytest.mark.slow
def test_a_file_that_is_no_better_than_guessing_says_so_first(client):
    client.session.open("fashion/mlp-32", Recipe(Prune(0.99)))
    state = client.wait_until_idle()
    first, second, *_others = state["numbers"]["reasons"]
    assert first.startswith("No better than guessing: always predicting")
    assert "is a large loss" in second


def test_a_preset_says_what_it_gives_for_the_model(client):
    helps = {preset["key"]: preset["help"] for preset in client.last("page")["presets"]}
    assert "the rest in 4 bits. 11.7\u202f× smaller costs 2.1\u202fpoints" in helps["small"]
