"""Networks of every kind without some of their channels: by hand, and against torch-pruning."""

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
from tests.graph.networks_with_channels import NETWORKS, NORMS_OVER_CHANNELS, WHOLE, inputs, network
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

NARROWED = [name for name in NETWORKS if name not in WHOLE]
PARTLY = ["pixel shuffle", "heads", "attention", "several in, one out", "softmax over channels"]
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
HALF = Structure(0.5, criterion="magnitude")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "store"))


def brought(module: nn.Module, name: str) -> wb.Model:
    data = inputs(name, 8), torch.arange(8) % 2
    return wb.from_module(module, train=data, validation=data, test=data, name="narrow")


def marked(module: nn.Module, found: tuple[Group, ...]) -> list[torch.Tensor]:
    """Make every other channel of each group the least by magnitude, and return their numbers."""
    gone = []
    with torch.no_grad():
        for group in found:
            chosen = torch.arange(group.channels).roll(1)[: round(0.5 * group.channels)]
            for member in group.with_role("makes"):
                entries = member.places[chosen].flatten()
                weight = module.get_parameter(member.tensor)
                weight.index_copy_(
                    member.axis, entries, 1e-2 * weight.index_select(member.axis, entries)
                )
            gone.append(chosen)
    return gone


@cache
def halved(
    name: str,
) -> tuple[nn.Module, tuple[Group, ...], list[torch.Tensor], wb.Model, nn.Module]:
    """Return a network, its groups, the channels that go, the model, and what is left of it."""
    module = network(name)
    found = module_channel_groups(module, inputs(name, 1))
    gone = marked(module, found)
    before = {n: t.clone() for n, t in module.state_dict().items()}
    model = brought(module, name)
    narrow = wb.to_module(
        Artifact.from_bytes(wb.compress(model, Recipe(structure=HALF)).to_bytes())
    )
    assert all(torch.equal(tensor, before[n]) for n, tensor in module.state_dict().items())
    return module, found, gone, model, narrow


def outputs(module: nn.Module, name: str) -> torch.Tensor:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error")  # of norms whose sizes are not those of their inputs
        return module(inputs(name))


def largest_difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


@pytest.mark.parametrize("name", [n for n in NARROWED + PARTLY if n not in NORMS_OVER_CHANNELS])
def test_without_channels_it_does_as_if_nobody_heard_them(name):
    module, found, gone, _, narrow = halved(name)
    module = copy.deepcopy(module)
    with torch.no_grad():
        for group, chosen in zip(found, gone, strict=True):
            for member in group.with_role("takes"):
                weight = module.get_parameter(member.tensor)
                weight.index_fill_(member.axis, member.places[chosen].flatten(), 0)
    assert largest_difference(outputs(narrow, name), outputs(module, name)) < 1e-5
    assert largest_difference(outputs(network(name), name), outputs(module, name)) > 1e-2


def pruned(module: nn.Module, name: str, group: Group, chosen: torch.Tensor) -> None:
    """Let torch-pruning remove channels of a group from `module`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = torch_pruning.DependencyGraph().build_dependency(module, (inputs(name, 1),))
    first = group.members[0]
    maker = module.get_submodule(first.tensor.removesuffix("weight").removesuffix("."))
    pruner = graph.get_pruner_of_module(maker)
    gone = first.places[chosen].flatten().tolist()
    graph.get_pruning_group(maker, pruner.prune_out_channels, gone).prune()


# what torch-pruning forgets: inputs of transposed groups, statistics of instance norm, sizes
FORGOTTEN = (
    "transposed in groups", "instance norm that tracks", "root mean square norm", "norm of each"
)  # fmt: skip


@pytest.mark.parametrize("name", [name for name in NARROWED + PARTLY if name not in FORGOTTEN])
def test_without_channels_it_is_what_torch_pruning_leaves(name):
    module, found, gone, _, narrow = halved(name)
    theirs = copy.deepcopy(module)
    for group, chosen in zip(found, gone, strict=True):
        pruned(theirs, name, group, chosen)
    expected, ours = theirs.state_dict(), narrow.state_dict()
    for tensor, value in expected.items():
        assert torch.equal(ours[tensor], value), tensor
    assert largest_difference(outputs(narrow, name), outputs(theirs.eval(), name)) < 1e-5
    theirs_of = dict(theirs.named_modules())
    for path, layer in narrow.named_modules():
        assert layer.extra_repr() == theirs_of[path].extra_repr()
        assert not layer._forward_pre_hooks


def products(module: nn.Module, name: str) -> int:
    """Count the multiply-adds of one example: entries of a kernel for each output or input."""
    found = []

    def count(layer, taken, made):
        within = taken[0] if isinstance(layer, TRANSPOSED) else made
        found.append(within.numel() * prod(layer.weight.shape[1:]))

    hooks = [
        layer.register_forward_hook(count)
        for layer in module.modules()
        if isinstance(layer, (nn.Linear, *CONVOLUTIONS, *TRANSPOSED))
    ]
    with torch.no_grad():
        module(inputs(name, 1))
    for hook in hooks:
        hook.remove()
    return sum(found)


@pytest.mark.parametrize("name", NARROWED)
def test_multiply_adds_are_those_of_its_layers(name):
    module, found, gone, model, narrow = halved(name)
    report = wb.measure(model, Recipe(structure=HALF), timed=False, store=ResultCache())
    whole, left = products(module, name), products(narrow, name)
    assert (model.card["macs"], report.macs) == (whole, left)
    assert report.structure["macs_removed"] == 1 - left / whole
    assert report.parameters == sum(p.numel() for p in narrow.parameters())
    shares = sum(g.outputs * len(c) / g.channels for g, c in zip(found, gone, strict=True))
    assert report.structure["channels_removed"] == shares / sum(g.outputs for g in found)
    assert outputs(narrow, name).shape == outputs(module, name).shape


@pytest.mark.parametrize("name", NARROWED)
def test_every_layer_that_can_lose_channels_does(name):
    found = analyze_module_channels(network(name), inputs(name, 1))
    assert {one.reason for one in found.unpruned} == {"output"}
    assert min(group.channels for group in found.groups) > 1


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
def test_other_parts_go_with_it(name, recipe):
    model = brought(network(name), name)
    artifact = Artifact.from_bytes(wb.compress(model, recipe).to_bytes())
    report = wb.measure(model, recipe, timed=False, store=ResultCache())
    again = evaluate(artifact, timed=False)
    assert (again.accuracy, again.size) == (report.accuracy, report.size)
    assert report.structure["channels_removed"] > 0.2
    examples, labels = inputs(name, 8), torch.arange(8) % 2
    with torch.no_grad():
        right = (wb.to_module(artifact)(examples).argmax(1) == labels).float().mean()
    assert report.accuracy == pytest.approx(float(right))


@pytest.mark.parametrize("name", WHOLE)
def test_layers_that_keep_their_channels_are_told_of_by_kind(name):
    model = brought(network(name), name)
    report = wb.measure(model, Recipe(structure=HALF), timed=False, store=ResultCache())
    makers = {
        maker for group in analyze_channels(model.architecture).groups for maker in group.producers
    }
    texts = [
        reason.text for reason in report.size.reasons if reason.text.startswith("All channels of")
    ]
    for layer, said in WHOLE[name].items():
        assert layer not in makers
        (sentence,) = (text for text in texts if layer in text)
        assert said in sentence
    assert not any(maker in text for maker in makers for text in texts)
