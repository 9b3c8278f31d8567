"""Sequence numbers of values, for messages that overtake each other."""

from __future__ import annotations

from workbench.panels.page_values import MAX_KNOWN, PageValues
from workbench.recipe import Prune, Recipe

START = ("model", Recipe())


def selected(share):
    return "model", Recipe(prune=Prune(share))


def arrive(values, seq, selected):
    """Let values arrive for the first time."""
    assert values.receive(seq)
    values.select(selected)


def test_results_of_the_newest_values_have_their_number():
    values = PageValues(START)
    assert values.current(START) == 0
    arrive(values, 1, selected(0.1))
    assert values.current(START) == 0  # the session has not changed yet
    assert values.current(selected(0.1)) == 1
    assert values.current(selected(0.9)) == 1  # selected by a preset


def test_earlier_values_are_shown_if_they_are_newer_than_what_is_shown():
    values = PageValues(START)
    for seq in (1, 2, 3):
        arrive(values, seq, selected(seq / 10))
    assert values.of_earlier(selected(0.2)) == (2, False)
    values.show(2)
    assert values.of_earlier(selected(0.1))[1]
    assert values.of_earlier(selected(0.7))[1]


def test_values_that_an_action_has_replaced_are_dropped():
    values = PageValues(START)
    arrive(values, 1, selected(0.1))
    values.drop(2)
    assert not values.receive(2)
    assert values.current(START) == 2
    arrive(values, 3, selected(0.3))


def test_values_that_arrive_again_are_dropped():
    values = PageValues(START)
    arrive(values, 2, selected(0.2))
    assert not values.receive(1)
    assert not values.receive(2)
    assert values.current(selected(0.2)) == 2


def test_an_action_without_new_values_drops_none():
    values = PageValues(START)
    arrive(values, 2, selected(0.2))
    values.drop(1)
    assert not values.receive(2)
    assert values.current(START) == 2


def test_a_rest_may_arrive_before_its_values():
    values = PageValues(START)
    arrive(values, 1, selected(0.1))
    values.rest(2)
    assert values.resting
    arrive(values, 2, selected(0.2))
    assert values.resting
    arrive(values, 3, selected(0.3))
    assert not values.resting


def test_the_number_of_known_values_is_bounded():
    values = PageValues(START)
    for seq in range(1, 2 * MAX_KNOWN):
        arrive(values, seq, selected(seq / 1000))
    assert values.of_earlier(selected(0.001))[1]
    assert values.of_earlier(selected(0.1)) == (100, False)
