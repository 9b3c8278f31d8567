"""Every module kind of the table with every part of a recipe: all reported numbers are correct."""

from __future__ import annotations

import re

import pytest

from tests.field.check import Subject, examine
from tests.field.data import splits, task_of
from tests.field.modules import TABLE
from tests.field.recipes import recipes

NUMBERS = {name: number for number, name in enumerate(TABLE)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TABLE)
def test_every_kind_is_measured_or_refused_correctly(name, tmp_path):
    kind = TABLE[name]
    task = task_of(kind.data)
    subject = Subject(kind.build(), kind.build_plain, splits(kind.data), task, name, kind.untrained)
    result = examine(subject, recipes(NUMBERS[name], task), tmp_path)
    assert not result.faults, "\n".join(["", *result.faults])
    if result.refusal:
        expected = kind.refused or kind.may_refuse or "not refused at all"
        assert re.search(expected, result.refusal, re.IGNORECASE), result.refusal
    else:
        assert not kind.refused, f"measured, although {kind.refused!r} should be refused"
