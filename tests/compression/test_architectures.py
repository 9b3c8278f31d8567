"""Third-party architectures give the same outputs after compression, tied weights included."""

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

KNOWN = {fixture.name: fixture for fixture in fixtures()}
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
def test_new_module_with_the_file_gives_the_same_outputs(name):
    trial = attempt(KNOWN[name])
    assert not trial.faults
    assert answer(KNOWN[name], trial.blob) == trial.answer


@pytest.mark.parametrize("name", ["densenet", "mobilenet v2", "swin", "u-net in 3-D"])
def test_channels_can_be_removed(name):
    result = narrowing(name)
    assert result.groups
    assert (result.unsupported, result.fault) == ("", "")


@pytest.mark.parametrize("name", ["gru", "tcn, weight norm"])
def test_unsupported_layers_keep_their_channels(name):
    assert narrowing(name).unsupported


def test_names_are_unique():
    assert len(KNOWN) == len(fixtures())


def test_tied_weights_are_stored_once():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    module[1].weight = module[0].weight
    assert list(own_tensors(module)) == ["0.weight", "0.bias", "1.bias"]
    assert torch.equal(own_tensors(module)["0.weight"], module[1].weight)
