"""The choices of the page Plan survive in a link."""

from __future__ import annotations

import random

import pytest

from workbench.errors import WorkbenchError
from workbench.planner.selection import BITS, OPENED, PlanSelection
from workbench.recipe import Recipe
from workbench.session.link import Link, format_link, parse_link
from workbench.session.plan_link import FIELDS
from workbench.session.records import Selection

LENET = Selection("fashion/lenet5", Recipe())


def reopened(plan: PlanSelection) -> PlanSelection:
    return parse_link(format_link(Link(LENET, plan=plan))).plan


@pytest.mark.parametrize("seed", range(20))
def test_a_link_opens_the_plan_that_it_was_made_of(seed):
    draw = random.Random(seed)
    mode = draw.choice(["infer", "train"])
    plan = PlanSelection().changed({"mode": mode})
    for name in draw.sample([name for name in FIELDS if name != "mode"], 5):
        choices = BITS[mode] if name == "precision" else plan.choices(name)
        value = draw.choice([0, 0.07, 2.5, 10**6]) if name == "price" else draw.choice(choices)
        plan = plan.changed({name: value})
    again = reopened(plan)
    assert {name: getattr(again, name) for name in FIELDS} == {
        name: getattr(plan, name) for name in FIELDS
    }
    assert again.plan("h200").as_dict() == plan.plan("h200").as_dict()


def test_a_new_plan_adds_nothing_to_the_link():
    assert "plan." not in format_link(Link(LENET))


def test_a_file_of_the_user_is_left_out():
    plan = PlanSelection(model=OPENED, config="{}", batch=64)
    assert reopened(plan) == PlanSelection(batch=64)


def test_a_session_opens_the_plan_of_its_link(session):
    session.set_focus(plan=PlanSelection(chip="h200", chips=4, price=2.5))
    query = session.query()
    session.set_focus(plan=PlanSelection())
    session.restore(query)
    assert session.focus.plan == PlanSelection(chip="h200", chips=4, price=2.5)
    assert session.query() == query


@pytest.mark.parametrize("price", [1234.567, 123456.78, 0.000012345678, 999999.99])
def test_a_price_keeps_its_digits(price):
    assert reopened(PlanSelection(price=price)).price == price


def test_a_bad_link_opens_a_new_plan(session):
    session.set_focus(plan=PlanSelection(chip="h200"))
    with pytest.raises(WorkbenchError):
        session.restore("m=fashion/lenet5&plan.chip=h900")
    assert session.focus.plan == PlanSelection()
