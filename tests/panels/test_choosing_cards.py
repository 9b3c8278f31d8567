"""The titles of the cards of the page Choose, and the headline over them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

import workbench as wb
from workbench.domain.metric import ACCURACY
from workbench.panels import choosing, choosing_picture
from workbench.recipe import Quantize, Recipe, Structure
from workbench.study.choices import choices_of
from workbench.study.goal import Goal
from workbench.study.other_networks import OtherNetwork
from workbench.study.trial import EXACT, Trial


@pytest.mark.parametrize("working", [False, True])
def test_a_headline_names_another_network_that_meets_the_limits(working):
    missed = SimpleNamespace(met=False, other=None, violations=("too large",))
    other = SimpleNamespace(**{**vars(missed), "other": object()})
    for headline in (
        lambda result: choosing._headline(result, working=working),
        choosing._other_limits,
    ):
        assert "network" not in headline(missed)
        assert "another network does" in headline(other)
        assert "of this network" in headline(other)


def test_a_recipe_that_another_network_dominates_is_recommended_for_its_own_network():
    best = Trial(Recipe(Quantize(4)), EXACT, 9_000, value=0.85, accuracy=0.85)
    smaller = replace(best, bytes=8_000)
    goal = Goal(ACCURACY, min_accuracy=0.8, floor=0.8)
    result = SimpleNamespace(met=True, best=best, choices=(best,), goal=goal, other=None)
    assert choosing._titles(result) == ["recommended"]
    result.other = OtherNetwork("fashion/cnn-10k", smaller, best)
    assert choosing._titles(result) == ["recommended for this network"]
    result.other = OtherNetwork("fashion/cnn-10k", replace(smaller, value=0.84), best)
    assert choosing._titles(result) == ["recommended"]


def chosen(*results, floor=0.8):
    """Return the sizes and titles of the cards of results: a recipe, bytes and an accuracy."""
    trials = [Trial(r[0], EXACT, r[1], value=r[2], accuracy=r[2]) for r in results]
    goal = Goal(ACCURACY, floor=floor)
    choices = choices_of(wb.model("fashion/mlp-32"), goal, goal.ranking(trials), {})
    result = SimpleNamespace(met=True, best=choices[0], choices=choices, goal=goal, other=None)
    return dict(zip([t.bytes for t in choices], choosing._titles(result), strict=True))


def test_a_clearly_better_file_that_is_hardly_larger_is_the_second_card():
    small, near = (Recipe(Quantize(2)), 2719, 0.807), (Recipe(Quantize(3)), 2727, 0.829)
    large = Recipe(Quantize(8)), 20_000, 0.88
    cards = chosen(large, near, small)
    assert list(cards) == [2719, 2727, 20_000]
    assert cards[2727] == "better accuracy, nearly as small"
    assert cards[20_000] == "better accuracy"
    assert list(chosen(near, small)) == [2719, 2727]
    assert list(chosen(large, (*near[:2], 0.81), small)) == [2719, 20_000]  # not clearly better
    assert list(chosen(large, (near[0], 2800, 0.829), small)) == [2719, 20_000]


def test_no_two_cards_have_the_same_title():
    def pruned(removed):
        return Recipe(structure=Structure(removed))

    results = [(pruned(0.1 * n), 1000 * n, 0.9 - 0.01 * n) for n in (4, 3, 2, 1)]
    results += [(Recipe(), 9000, 0.9), (Recipe(Quantize(4)), 900, 0.81)]
    for floor in (None, 0.8):
        titles = list(chosen(*results, floor=floor).values())
        assert len(titles) == len(set(titles)) == 3
    tied = (Recipe(), 9000, 0.9), (Recipe(Quantize(4)), 800, 0.85), (Recipe(Quantize(3)), 800, 0.83)
    assert list(chosen(*tied, floor=None).values()) == ["recommended", "smaller file"]


@pytest.mark.parametrize(
    ("known", "dots"),
    [
        (0, "3 recipes tried: 2 measured on all examples, the dots"),
        (2, "2 measured on all examples, which are the dots together with the known results"),
    ],
)
def test_known_results_are_counted_as_dots(known, dots):
    trials = SimpleNamespace(trials=[None] * (3 + known), known=known, states={EXACT: 2 + known})
    trials.saved = 0.5
    text = choosing_picture._ended(SimpleNamespace(result=trials))
    assert dots in text
    assert text.startswith("2 results were known already. 3 more recipes") == bool(known)
