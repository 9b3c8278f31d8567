"""Networks that nobody here wrote the compression for survive the file, tied weights and all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from _architectures import fixtures
from _architectures.narrowing import narrowing
from _architectures.trial import answer, attempt, own_tensors

KNOWN = {one.name: one for one in fixtures()}
CHOSEN = (
    "densenet",
    "mobilenet v2",
    "swin",
    "lstm, tied words",
    "gru",
    "encoder and decoder",
    "tcn, weight norm",
    "u-net in 3-D",
)


@pytest.mark.parametrize("name", CHOSEN)
def test_a_fresh_module_answers_alike_with_the_file_alone(name):
    trial = attempt(KNOWN[name])
    assert not trial.faults
    assert answer(KNOWN[name], trial.blob) == trial.answer


@pytest.mark.parametrize("name", ["densenet", "mobilenet v2", "swin", "u-net in 3-D"])
def test_channels_go_where_they_can(name):
    found = narrowing(name)
    assert found.groups
    assert (found.unsupported, found.fault) == ("", "")


@pytest.mark.parametrize("name", ["gru", "tcn, weight norm"])
def test_channels_stay_where_they_cannot_go(name):
    assert narrowing(name).unsupported


def test_names_are_no_two_alike():
    assert len(KNOWN) == len(fixtures())


def test_tied_weights_are_held_once():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    module[1].weight = module[0].weight
    assert list(own_tensors(module)) == ["0.weight", "0.bias", "1.bias"]
    assert torch.equal(own_tensors(module)["0.weight"], module[1].weight)
