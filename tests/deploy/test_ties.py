"""Values between two codes decide some predictions, of classes and of numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.deploy.confirm import Reference

TIED, BETWEEN = 10, 20.5
"""Examples whose input lies between two codes, and between which."""


def compressed(outputs, name, step=0.0):
    """Return a file of one layer, and its validation inputs; the first are `BETWEEN` steps."""
    inputs = torch.linspace(-1, 1, 120)[:, None]
    module = nn.Linear(1, outputs)
    with torch.no_grad():
        module.weight.copy_(torch.eye(outputs, 1))
        module.bias.copy_(torch.arange(outputs) * BETWEEN * step)  # classes change there
    labels = inputs if outputs == 1 else (inputs[:, 0] < 0.5).long()
    validation = torch.cat([torch.full((TIED, 1), BETWEEN * step), inputs[TIED:]])
    data = {"train": (inputs, labels), "validation": (validation, labels), "test": (inputs, labels)}
    options = {"metric": "explained variance"} if outputs == 1 else {}
    model = wb.from_module(nn.Sequential(module).eval(), **data, name=name, **options)
    return wb.compress(model, wb.Recipe(wb.Quantize(8), wb.Activations(8))), validation


def agreement(outputs, steps):
    """Return how outputs agree whose tied inputs are moved by some steps between two codes."""
    first, _inputs = compressed(outputs, f"ties-{outputs}")
    step = dict(first.spec.inputs)["0"].scale
    file, inputs = compressed(outputs, f"ties-{outputs}-{steps}", step)
    moved = inputs.clone()
    moved[:TIED] += steps * step
    reference = Reference(file, "validation")
    reference._outputs = replace(reference._outputs, lead=0.0)  # only ties are asked here
    with torch.no_grad():
        returned = wb.to_module(file)(moved)
        own = wb.to_module(file)(inputs)
    facts = {"provider": "CPU", "version": "1"}
    return reference.compare(wb.export(file, "torch"), returned, facts), own, returned


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_value_between_two_codes_decides_and_others_do_not(outputs):
    results = [agreement(outputs, steps) for steps in (-1e-5, 1e-5)]
    changed = [set(np.flatnonzero((own != other).any(1))) for _result, own, other in results]
    assert set(range(TIED)) in changed  # one of them goes to the other code
    for (result, _own, _other), rows in zip(results, changed, strict=True):
        assert result.confirmed
        assert {*result.borderline.tolist()} == rows
        assert ("rounding decides" in result.summary) == bool(rows)
        assert len(result.rows()) == (len(rows) if outputs > 1 else 0)


@pytest.mark.parametrize("outputs", [1, 2])
def test_no_other_difference_is_decided_by_rounding(outputs):
    file, inputs = compressed(outputs, f"no-ties-{outputs}", 0.01)
    with torch.no_grad():
        own = wb.to_module(file)(inputs)
    returned = own.flip(0)
    differs = (own - returned).abs().amax(1) > 1e-4
    if outputs > 1:
        differs = own.argmax(1) != returned.argmax(1)
    assert differs.sum() > TIED
    facts = {"provider": "CPU", "version": "1"}
    result = Reference(file, "validation").compare(wb.export(file, "torch"), returned, facts)
    assert not len(result.borderline)
    assert result.different.tolist() == differs.nonzero().flatten().tolist()
    assert not result.confirmed


@pytest.mark.slow
def test_numbers_have_no_picture():
    results = [agreement(1, steps)[0] for steps in (-1e-5, 1e-5)]
    with raises("deploy.no_picture"):
        max(results, key=lambda result: len(result.borderline)).plot()
