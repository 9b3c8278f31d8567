"""Third-party architectures give the same outputs after compression, tied weights included."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from _architectures import fixtures
from _architectures.channel_removal import remove
from _architectures.trial import output_digest, run_trial, unique_tensors

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


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOSEN)
def test_a_fresh_module_answers_alike_with_the_file_alone(name):
    trial = run_trial(KNOWN[name])
    assert not trial.faults
    assert output_digest(KNOWN[name], trial.blob) == trial.digest


@pytest.mark.slow
@pytest.mark.parametrize("name", ["densenet", "mobilenet v2", "swin", "u-net in 3-D"])
def test_channels_go_where_they_can(name):
    found = remove(name)
    assert found.groups
    assert (found.unsupported, found.fault) == ("", "")


@pytest.mark.parametrize("name", ["gru", "tcn, weight norm"])
def test_channels_stay_where_they_cannot_go(name):
    assert remove(name).unsupported


def test_names_are_unique():
    assert len(KNOWN) == len(fixtures())


def test_tied_weights_are_stored_once():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    module[1].weight = module[0].weight
    assert list(unique_tensors(module)) == ["0.weight", "0.bias", "1.bias"]
    assert torch.equal(unique_tensors(module)["0.weight"], module[1].weight)
