"""Networks without some of their channels, compared with zeroed channels and torch-pruning."""

from __future__ import annotations

import copy
import warnings
from functools import cache
from math import prod

import pytest
import torch
import torch_pruning
from torch import nn

import workbench as wb
from tests.graph.networks_with_channels import (
    NETWORKS,
    NORMS_OVER_CHANNELS,
    UNPRUNED,
    inputs,
    network,
)
from workbench.artifact.artifact import Artifact
from workbench.cache.results import ResultCache
from workbench.compression.channels import Group
from workbench.evaluation.measure import evaluate
from workbench.graph.channel_groups import (
    analyze_channels,
    analyze_module_channels,
    module_channel_groups,
)
from workbench.recipe import Activations, Quantize, Recipe, Structure, Train
from workbench.zoo import registry

PRUNABLE = [name for name in NETWORKS if name not in UNPRUNED]
PARTLY = ["pixel shuffle", "heads", "attention", "several in, one out", "softmax over channels"]
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
HALF = Structure(0.5, criterion="magnitude")


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "store"))


def registered(module: nn.Module, name: str) -> wb.Model:
    data = inputs(name, 8), torch.arange(8) % 2
    return wb.from_module(module, train=data, validation=data, test=data, name="narrow")


def mark_unimportant(module: nn.Module, groups: tuple[Group, ...]) -> list[torch.Tensor]:
    """Give half the channels of each group the smallest magnitudes, and return their indices."""
    removed = []
    with torch.no_grad():
        for group in groups:
            channels = torch.arange(group.channels).roll(1)[: round(0.5 * group.channels)]
            for member in group.with_role("makes"):
                entries = member.places[channels].flatten()
                weight = module.get_parameter(member.tensor)
                weight.index_copy_(
                    member.axis, entries, 1e-2 * weight.index_select(member.axis, entries)
                )
            removed.append(channels)
    return removed


@cache
def reduced(
    name: str,
) -> tuple[nn.Module, tuple[Group, ...], list[torch.Tensor], wb.Model, nn.Module]:
    """Return a network, its groups, the removed channels, the model and the reduced network."""
    module = network(name)
    groups = module_channel_groups(module, inputs(name, 1))
    removed = mark_unimportant(module, groups)
    before = {n: t.clone() for n, t in module.state_dict().items()}
    model = registered(module, name)
    small = wb.to_module(Artifact.from_bytes(wb.compress(model, Recipe(structure=HALF)).to_bytes()))
    assert all(torch.equal(tensor, before[n]) for n, tensor in module.state_dict().items())
    return module, groups, removed, model, small


def outputs(module: nn.Module, name: str) -> torch.Tensor:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error")  # about norms whose sizes do not match their inputs
        return module(inputs(name))


def largest_difference(actual: torch.Tensor, expected: torch.Tensor) -> float:
    return float((actual - expected).abs().max() / expected.abs().max())


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in PRUNABLE + PARTLY if n not in NORMS_OVER_CHANNELS])
def test_removal_is_equivalent_to_zeroing(name):
    module, groups, removed, _, small = reduced(name)
    module = copy.deepcopy(module)
    with torch.no_grad():
        for group, channels in zip(groups, removed, strict=True):
            for member in group.with_role("takes"):
                weight = module.get_parameter(member.tensor)
                weight.index_fill_(member.axis, member.places[channels].flatten(), 0)
    assert largest_difference(outputs(small, name), outputs(module, name)) < 1e-5
    assert largest_difference(outputs(network(name), name), outputs(module, name)) > 1e-2


def prune_with_torch_pruning(
    module: nn.Module, name: str, group: Group, channels: torch.Tensor
) -> None:
    """Remove channels of a group from `module` with torch-pruning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = torch_pruning.DependencyGraph().build_dependency(module, (inputs(name, 1),))
    first = group.members[0]
    producer = module.get_submodule(first.tensor.removesuffix("weight").removesuffix("."))
    pruner = graph.get_pruner_of_module(producer)
    removed = first.places[channels].flatten().tolist()
    graph.get_pruning_group(producer, pruner.prune_out_channels, removed).prune()


# torch-pruning does not support inputs of transposed groups, statistics of instance norm, sizes
UNSUPPORTED = (
    "transposed in groups", "instance norm that tracks", "root mean square norm", "norm of each"
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PRUNABLE + PARTLY if name not in UNSUPPORTED])
def test_removal_equals_that_of_torch_pruning(name):
    module, groups, removed, _, small = reduced(name)
    theirs = copy.deepcopy(module)
    for group, channels in zip(groups, removed, strict=True):
        prune_with_torch_pruning(theirs, name, group, channels)
    expected, ours = theirs.state_dict(), small.state_dict()
    for tensor, value in expected.items():
        assert torch.equal(ours[tensor], value), tensor
    assert largest_difference(outputs(small, name), outputs(theirs.eval(), name)) < 1e-5
    theirs_of = dict(theirs.named_modules())
    for path, layer in small.named_modules():
        assert layer.extra_repr() == theirs_of[path].extra_repr()
        assert not layer._forward_pre_hooks


def products(module: nn.Module, name: str) -> int:
    """Return the multiply-adds of one example: kernel entries for each output or input."""
    counts = []

    def count(layer, args, outputs):
        positions = args[0] if isinstance(layer, TRANSPOSED) else outputs
        counts.append(positions.numel() * prod(layer.weight.shape[1:]))

    hooks = [
        layer.register_forward_hook(count)
        for layer in module.modules()
        if isinstance(layer, (nn.Linear, *CONVOLUTIONS, *TRANSPOSED))
    ]
    with torch.no_grad():
        module(inputs(name, 1))
    for hook in hooks:
        hook.remove()
    return sum(counts)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRUNABLE)
def test_multiply_adds_are_those_of_its_layers(name):
    module, groups, removed, model, small = reduced(name)
    report = wb.measure(model, Recipe(structure=HALF), timed=False, store=ResultCache())
    total, remaining = products(module, name), products(small, name)
    assert (model.card["macs"], report.macs) == (total, remaining)
    assert report.structure["macs_removed"] == 1 - remaining / total
    assert report.parameters == sum(p.numel() for p in small.parameters())
    shares = sum(g.outputs * len(c) / g.channels for g, c in zip(groups, removed, strict=True))
    assert report.structure["channels_removed"] == shares / sum(g.outputs for g in groups)
    assert outputs(small, name).shape == outputs(module, name).shape


@pytest.mark.parametrize("name", PRUNABLE)
def test_every_layer_that_can_lose_channels_does(name):
    analysis = analyze_module_channels(network(name), inputs(name, 1))
    assert {layers.reason for layers in analysis.unpruned} == {"output"}
    assert min(group.channels for group in analysis.groups) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet", "grouped", "group norm", "convnext", "generator"])
@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(structure=Structure(0.3), quantize=Quantize(8), activations=Activations(8)),
        Recipe(
            structure=Structure(0.3, criterion="curvature"),
            train=Train(steps=2, batch=4, threads=1),
        ),
        Recipe(structure=Structure(0.6, criterion="gradient", scope="global")),
    ],
    ids=["rounded inputs", "trained", "global"],
)
def test_combination_with_other_parts(name, recipe):
    model = registered(network(name), name)
    artifact = Artifact.from_bytes(wb.compress(model, recipe).to_bytes())
    report = wb.measure(model, recipe, timed=False, store=ResultCache())
    evaluated = evaluate(artifact, timed=False)
    assert (evaluated.accuracy, evaluated.size) == (report.accuracy, report.size)
    assert report.structure["channels_removed"] > 0.2
    examples, labels = inputs(name, 8), torch.arange(8) % 2
    with torch.no_grad():
        accuracy = (wb.to_module(artifact)(examples).argmax(1) == labels).float().mean()
    assert report.accuracy == pytest.approx(float(accuracy))


@pytest.mark.slow
@pytest.mark.parametrize("name", UNPRUNED)
def test_unpruned_layers_are_reported_with_the_reason(name):
    model = registered(network(name), name)
    report = wb.measure(model, Recipe(structure=HALF), timed=False, store=ResultCache())
    producers = {
        producer
        for group in analyze_channels(model.architecture).groups
        for producer in group.producers
    }
    texts = [item.text for item in report.size.reasons if "keeps all channels" in item.text]
    for layer, reason in UNPRUNED[name].items():
        assert layer not in producers
        (sentence,) = (text for text in texts if layer in text)
        assert reason in sentence
    assert not any(producer in text for producer in producers for text in texts)
