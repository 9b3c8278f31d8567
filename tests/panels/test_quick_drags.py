"""Drags that follow each other, or an action, faster than their messages."""

from __future__ import annotations

import pytest

from workbench.recipe import Recipe


def moved(client, seq, gesture, sparsity):
    """Return the values that a drag of the page ends with."""
    values = client.values() | {"prune.sparsity": sparsity}
    return {"seq": seq, "gesture": gesture, "moving": False, "values": values}


@pytest.mark.parametrize("by_action", [True, False], ids=["undo overtakes", "undo follows"])
def test_quick_drags_are_one_step_each(client, by_action):
    """The page sends at most one message with values; the newest replaces waiting ones."""
    first, *waiting = (moved(client, n, n, n / 10) for n in (1, 2, 3, 4))
    newest = waiting[-1] | {"earlier": waiting[:-1]}
    client.dashboard.values = first
    if by_action:
        client.act("undo", seq=4, waiting=waiting)
    client.dashboard.values = newest
    if not by_action:
        client.act("undo", seq=4)
    undone = []
    while client.session.can_undo:
        undone.append(client.session.recipe.prune.sparsity)
        client.act("undo", seq=4)
    assert undone == [0.3, 0.2, 0.1]
    assert client.session.recipe == Recipe()
    client.act("redo", seq=4)
    assert client.session.recipe.prune.sparsity == 0.1


def test_waiting_values_come_before_any_action(client):
    client.act("hold_size", seq=1, on=True, waiting=[moved(client, 1, 1, 0.5)])
    assert client.session.recipe.prune.sparsity == 0.5
    wrong = moved(client, 2, 2, 7.0)
    client.act("reset", seq=2, waiting=[wrong])
    assert "sparsity" in client.last("banner")["text"]
    assert client.session.recipe == Recipe()
