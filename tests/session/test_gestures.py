"""One drag is one step of the history and leaves a trail of results."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.session.gesture import LONGEST_TRAIL, Gesture
from workbench.session.records import History, Selection

SMALL, CONV = "fashion/lenet-300-100", "fashion/lenet5"


def pruned(sparsity):
    return wb.Recipe(prune=wb.Prune(sparsity=sparsity))


def drag(session, number, *shares):
    for share in shares:
        session.set(pruned(share), gesture=number, moving=True)


def test_a_model_is_removed_from_the_history_with_its_students():
    kept = Selection(SMALL, pruned(0.5))
    removed = Selection("a student", pruned(0.5), origin=CONV)
    history = History(kept, (kept, removed), (removed, Selection(CONV, wb.Recipe())))
    assert history.without_model(CONV) == History(kept, (kept,))


def test_undo_and_redo_take_one_drag(session):
    drag(session, 1, 0.1, 0.2, 0.3)
    drag(session, 2, 0.4, 0.5)
    session.undo()
    assert session.recipe == pruned(0.3)
    session.undo()
    assert session.recipe == wb.Recipe()
    assert not session.can_undo
    session.redo()
    session.redo()
    assert session.recipe == pruned(0.5)


def test_a_drag_back_to_its_start_is_no_step(session):
    session.set(pruned(0.6))
    session.undo()
    drag(session, 1, 0.1, 0.2, 0.0)
    session.set(wb.Recipe(), gesture=1)
    assert not session.can_undo
    session.redo()
    assert session.recipe == pruned(0.6)


def test_other_selections_end_a_drag(session):
    drag(session, 1, 0.1, 0.2)
    session.set(pruned(0.9))
    drag(session, 1, 0.3)
    session.undo()
    assert session.recipe == pruned(0.9)
    session.undo()
    assert session.recipe == pruned(0.2)


def test_undo_during_a_drag_starts_a_new_step(session):
    drag(session, 1, 0.1)
    session.undo()
    drag(session, 1, 0.2)
    session.undo()
    assert session.recipe == wb.Recipe()


def test_a_session_moves_until_it_rests(session):
    notified = []
    session.subscribe(lambda s: notified.append(s.moving))
    drag(session, 1, 0.1)
    assert session.moving
    session.rest()
    assert not session.moving
    assert notified[-1] is False


@pytest.mark.parametrize("act", [lambda s: s.undo(), lambda s: s.choose_model(CONV)])
def test_other_actions_end_the_movement(session, act):
    drag(session, 1, 0.1)
    act(session)
    assert not session.moving


def test_a_drag_leaves_a_trail_until_the_next(session, until):
    for share in (0.1, 0.2):
        drag(session, 1, share)
        until(session, lambda: not session.busy)
    trail = session.trail
    assert [visit.recipe for visit in trail] == [pruned(0.1), pruned(0.2)]
    assert all(visit.exact for visit in trail)
    session.undo()
    assert session.trail == trail
    session.visit(trail[0])
    assert (session.recipe, session.trail) == (pruned(0.1), trail)
    drag(session, 2, 0.3)
    assert session.trail == ()


def test_a_link_leads_to_no_trail(session, until):
    drag(session, 1, 0.1)
    until(session, lambda: not session.busy)
    session.restore(f"m={SMALL}&prune.sparsity=0.5")
    assert session.trail == ()


def test_another_model_has_no_trail_of_the_one_before(session, until):
    drag(session, 1, 0.1)
    until(session, lambda: not session.busy)
    session.choose_model(CONV)
    assert session.trail == ()


def test_a_drag_that_is_faster_than_measuring_leaves_estimates(session, fake, until):
    fake.gate.clear()
    drag(session, 1, 0.1)
    fake.until(lambda: fake.started)
    drag(session, 1, 0.2)
    fake.gate.set()
    until(session, lambda: not session.busy)
    first, last = session.trail
    assert (first.recipe, first.exact) == (pruned(0.1), False)
    assert (last.recipe, last.exact) == (pruned(0.2), True)
    assert fake.ended[-1] == "done"


def test_an_outdated_estimate_does_not_replace_a_newer_result(session, fake, until):
    session.set(pruned(0.2))
    until(session, lambda: not session.busy)
    fake.ended.clear()
    fake.gate.clear()
    drag(session, 1, 0.1)
    fake.until(lambda: len(fake.started) == 2)
    drag(session, 1, 0.2)  # cached
    fake.gate.set()
    fake.until(lambda: fake.ended == ["cancelled"])
    assert session.report.recipe == pruned(0.2)
    assert session.report.exact


def test_the_trail_is_bounded(session):
    gesture = Gesture()
    gesture.push(History(Selection(SMALL, wb.Recipe())), Selection(SMALL, pruned(0.1)), 1)
    report = session.report
    for share in range(2 * LONGEST_TRAIL):
        recipe = pruned(share / 1000)
        gesture.add(wb.Report(**{**vars(report), "recipe": recipe}))
    assert len(gesture.trail) == LONGEST_TRAIL
    assert gesture.trail[-1].recipe == recipe
