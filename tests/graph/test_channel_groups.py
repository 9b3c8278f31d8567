"""Channel groups, compared with torch-pruning's own removal and counts."""

from __future__ import annotations

import copy

import pytest
import torch
import torch_pruning
from torch import nn

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.compression.channel_pruning import remove_channels
from workbench.compression.channel_scores import SCORES
from workbench.compression.stats import CalibrationStats
from workbench.evaluation.measure import measure
from workbench.graph.channel_groups import channel_groups, module_channel_groups
from workbench.recipe import Recipe, Structure

GENERATOR = torch.Generator()


def original(model: wb.Model) -> nn.Module:
    module = model.architecture.build().eval()
    module.load_state_dict(model.weights())
    return module


def graph_of(module: nn.Module) -> torch_pruning.DependencyGraph:
    return torch_pruning.DependencyGraph().build_dependency(module, torch.zeros(1, 1, 28, 28))


def prune_with_torch_pruning(module: nn.Module, group, kept) -> None:
    graph = graph_of(module)
    producer = module.get_submodule(group.producers[0].removesuffix(".weight"))
    linear = isinstance(producer, nn.Linear)
    function = (
        torch_pruning.prune_linear_out_channels if linear else torch_pruning.prune_conv_out_channels
    )
    removed = sorted(set(range(group.channels)) - set(kept.tolist()))
    graph.get_pruning_group(producer, function, idxs=removed).prune()


@pytest.mark.parametrize("name", wb.models("fashion"))
def test_tensors_equal_those_of_torch_pruning(name):
    model = wb.model(name)
    groups = channel_groups(model.architecture)
    generator = torch.Generator().manual_seed(0)
    kept = [
        torch.randperm(g.channels, generator=generator)[: g.channels // 2].sort().values
        for g in groups
    ]
    ours = dict(model.weights())
    theirs = original(model)
    for group, kept_channels in zip(groups, kept, strict=True):
        for member in group.members:
            ours[member.tensor] = member.cut(ours[member.tensor], kept_channels)
        prune_with_torch_pruning(theirs, group, kept_channels)
    expected = theirs.state_dict()
    assert list(ours) == list(expected)
    for tensor, value in expected.items():
        assert torch.equal(ours[tensor], value), tensor


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/lenet5", "fashion/resnet"])
def test_counts_equal_those_of_torch_pruning(name):
    model, structure = wb.model(name), Structure(0.5)
    groups = channel_groups(model.architecture)
    report = measure(model, Recipe(structure=structure), timed=False, store=ResultCache())
    theirs = original(model)
    total = torch_pruning.utils.count_ops_and_params(
        copy.deepcopy(theirs), torch.zeros(1, 1, 28, 28)
    )
    weights = dict(model.weights())
    for group in groups:
        norms = SCORES["group_norm"](group, weights, CalibrationStats(), GENERATOR)
        kept = norms.argsort(stable=True)[round(0.5 * group.channels) :].sort().values
        prune_with_torch_pruning(theirs, group, kept)
    parameters = sum(tensor.numel() for tensor in theirs.parameters())
    assert report.parameters == parameters
    remaining = torch_pruning.utils.count_ops_and_params(theirs, torch.zeros(1, 1, 28, 28))
    # torch-pruning adds a few operations of biases, norms and pooling to each product
    assert report.macs / model.card["macs"] == pytest.approx(remaining[0] / total[0], abs=0.02)
    assert report.structure["channels_removed"] == 0.5
    assert report.structure["macs_removed"] == 1 - report.macs / model.card["macs"]


@pytest.mark.parametrize("name", ["fashion/lenet-300-100", "fashion/lenet5", "fashion/resnet"])
def test_group_norm_equals_that_of_torch_pruning(name):
    model = wb.model(name)
    module = original(model)
    graph = graph_of(module)
    importance = torch_pruning.importance.GroupMagnitudeImportance(
        p=2, group_reduction="mean", normalizer=None
    )
    compared = 0
    for group in channel_groups(model.architecture):
        producer = module.get_submodule(group.producers[0].removesuffix(".weight"))
        linear = isinstance(producer, nn.Linear)
        function = (
            torch_pruning.prune_linear_out_channels
            if linear
            else torch_pruning.prune_conv_out_channels
        )
        theirs = importance(
            graph.get_pruning_group(producer, function, list(range(group.channels)))
        )
        ours = SCORES["group_norm"](group, model.weights(), CalibrationStats(), GENERATOR)
        torch.testing.assert_close(ours.float(), theirs.detach(), rtol=1e-4, atol=1e-5)
        compared += 1
    assert compared == len(channel_groups(model.architecture)) > 1


def test_residual_layers_are_coupled():
    producers = [
        group.producers for group in channel_groups(wb.model("fashion/resnet").architecture)
    ]
    assert ("blocks.2.shortcut.0.weight", "blocks.2.conv2.weight") in producers
    assert all("fc.weight" not in names for names in producers)  # its outputs are the classes


def test_reduced_network_is_smaller():
    model = wb.model("fashion/resnet")
    reduced = remove_channels(
        model.weights(), channel_groups(model.architecture), Structure(0.25), CalibrationStats()
    )
    assert sum(group.channels for group in reduced.groups) == 416 - 104
    assert reduced.weights["blocks.0.conv1.weight"].shape == (48, 24, 3, 3)
    assert model.weights()["stem.weight"].shape[0] == 32  # the original is unchanged


class Heads(nn.Module):
    """Channels that are split into heads, removable channels, and channels that are outputs."""

    def __init__(self):
        super().__init__()
        self.make, self.out = nn.Linear(6, 8), nn.Linear(8, 8)
        self.up, self.down = nn.Linear(8, 12), nn.Linear(12, 8)
        self.code, self.decode = nn.Linear(8, 5), nn.Linear(5, 3)

    def forward(self, inputs):
        heads = self.make(inputs).view(len(inputs), 2, 4).softmax(dim=-1)
        code = self.code(self.down(self.up(self.out(heads.flatten(1))).relu()))
        return self.decode(code), code


def test_groups_that_fail_verification_are_excluded():
    groups = module_channel_groups(Heads().eval(), torch.randn(2, 6))
    assert [group.producers for group in groups] == [
        ("out.weight",),
        ("up.weight",),
        ("down.weight",),
    ]


@pytest.mark.parametrize(
    ("kind", "norm", "shape"),
    [
        (nn.Conv1d, nn.BatchNorm1d, (2, 3, 9)),
        (nn.Conv3d, nn.BatchNorm3d, (2, 3, 5, 5, 5)),
    ],
)
def test_convolutions_of_any_dimensions_have_groups(kind, norm, shape):
    module = nn.Sequential(kind(3, 8, 3), norm(8), nn.ReLU(), kind(8, 4, 3)).eval()
    (group,) = module_channel_groups(module, (torch.randn(shape),))
    assert (group.producers, group.channels) == (("0.weight",), 8)
