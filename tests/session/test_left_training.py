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


def test_the_change_after_a_training_says_that_it_belongs_to_the_settings_before(trained):
    assert trained.lost_training is None
    for sparsity in (0.6, 0.7):  # a drag is one change
        trained.set(Recipe(Prune(sparsity)), gesture=1, moving=True)
    trained.set(FINER, gesture=1)
    assert trained.lost_training == TRAINED.train
    assert hint.hint(trained).startswith("The training belongs to the settings before")
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


@pytest.mark.parametrize("leave", [lambda s: s.set(TRAINED.untrained), lambda s: s.reset()])
def test_nothing_is_missed_after_the_change_that_follows_such_a_choice(trained, leave):
    leave(trained)
    trained.set(FINER)
    assert trained.lost_training is None


def test_nothing_is_said_once_one_undo_does_not_bring_the_training_back(trained):
    trained.set(FINER)
    trained.set(Recipe(Prune(0.6), Quantize(8)))
    assert trained.lost_training is None
    trained.undo()
    assert trained.lost_training == TRAINED.train
