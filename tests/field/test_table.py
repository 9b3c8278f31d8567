"""Every module kind of the table with every part of a recipe: all numbers are true."""

from __future__ import annotations

import re

import pytest

from tests.field.check import Subject, examine
from tests.field.data import splits, task_of
from tests.field.modules import TABLE
from tests.field.recipes import recipes

NUMBERS = {name: number for number, name in enumerate(TABLE)}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TABLE)
def test_what_is_measured_is_true_and_what_is_refused_is_said(name, tmp_path):
    kind = TABLE[name]
    task = task_of(kind.data)
    subject = Subject(kind.build(), kind.build_plain, splits(kind.data), task, name, kind.untrained)
    verdict = examine(subject, recipes(NUMBERS[name], task), tmp_path)
    assert not verdict.faults, "\n".join(["", *verdict.faults])
    if verdict.refusal:
        expected = kind.refused or kind.may_refuse or "not refused at all"
        assert re.search(expected, verdict.refusal, re.IGNORECASE), verdict.refusal
    else:
        assert not kind.refused, f"measured, though {kind.refused!r} bars it"
