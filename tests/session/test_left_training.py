"""A change after a training leaves it behind, and says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.panels import hint
from workbench.recipe import Prune, Quantize, Recipe, Train

SPARSE, FINER = Recipe(Prune(0.5)), Recipe(Prune(0.5), Quantize(8))
TRAINED = replace(SPARSE, train=Train(7, threads=1))


@pytest.fixture
def trained(session):
    session.set(SPARSE)
    session.set(TRAINED)
    return session


def test_each_later_change_says_that_the_training_belongs_to_the_settings_before(trained):
    assert trained.lost_training is None
    for recipe in (FINER, Recipe(Prune(0.6), Quantize(8))):
        trained.set(recipe)
        assert trained.lost_training == TRAINED.train
        assert hint.hint(trained).startswith("The training belongs to the settings before")
    trained.undo()
    trained.undo()
    assert trained.recipe == TRAINED
    assert trained.lost_training is None


@pytest.mark.parametrize(
    "leave",
    [
        lambda session: session.set(TRAINED.untrained),
        lambda session: session.reset(),
        lambda session: session.choose_model("fashion/lenet5"),
    ],
)
def test_nothing_is_missed_after_a_choice_against_the_training(trained, leave):
    leave(trained)
    assert trained.lost_training is None
