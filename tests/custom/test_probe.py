"""Probing how a module may be run, without changing the module."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.raises import raises
from workbench.custom.probe import agree, probe
from workbench.domain.module_copy import meta_copy
from workbench.domain.module_tensors import tensors_of
from workbench.errors import InputError
from workbench.runtime.batch import call
from workbench.runtime.guard import guarded


class Flat(nn.Module):
    """Base of modules that classify 3 × 6 × 6 images."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(64, 5)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))


class View(Flat):
    def forward(self, x):
        return self.fc(self.conv(x).view(len(x), -1))


class Strided(Flat):
    def forward(self, x):
        return self.fc(self.conv(x).as_strided((len(x), 64), (64, 1)))


class Float32State(Flat):
    def forward(self, x):
        return self.fc(self.conv(x).flatten(1)) @ torch.eye(5)


class InPlace(Flat):
    def forward(self, x):
        x += 1
        return super().forward(x.relu_())


class Counts(Flat):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(2, dtype=torch.long))

    def forward(self, x):
        self.calls += 1
        return super().forward(x)


class Squeezes(Flat):
    def forward(self, x):
        return super().forward(x).squeeze()


@dataclass
class Outputs:
    logits: torch.Tensor
    extra: torch.Tensor


class SqueezesNamed(Squeezes):
    def forward(self, x):
        logits = super().forward(x)
        return Outputs(logits, logits.sum())


class Forces(Flat):
    """Returns the gradient of an energy with respect to its inputs."""

    def forward(self, x):
        x = x.detach().requires_grad_()
        energy = torch.tanh(super().forward(x)).sum()
        return torch.autograd.grad(energy, x)[0].flatten(1)[:, :5]


class Named(NamedTuple):
    logits: torch.Tensor
    extra: torch.Tensor


class Returns(Flat):
    def forward(self, x):
        logits = super().forward(x)
        return Named(logits, logits.sum())


class Table(Flat):
    """Holds unregistered tensors, one computed from weights, and sparse and unsaved buffers."""

    def __init__(self):
        super().__init__()
        self.scale = self.fc.weight.abs().max() * 0 + 1  # not a leaf of autograd's graph
        self.register_buffer("unsaved", torch.ones(5), persistent=False)
        self.register_buffer("sparse", torch.eye(5).to_sparse())

    def forward(self, x):
        return torch.sparse.mm(self.sparse, super().forward(x).T).T * self.scale * self.unsaved


EXPECTED = {
    Flat: {"channels_last": True, "float64": True, "single_example": True},
    View: {"channels_last": False, "float64": True},
    Strided: {"channels_last": False, "float64": True},
    Float32State: {"channels_last": True, "float64": False},
    InPlace: {"mutates_inputs": True, "channels_last": True, "float64": True},
    Counts: {"mutated_tensors": ("calls",), "float64": True},
    Squeezes: {"single_example": False, "float64": True},
    SqueezesNamed: {"single_example": False, "float64": True},
    Forces: {"uses_autograd": True},
    Returns: {"channels_last": True, "float64": True},
    Table: {"channels_last": True},
}


@pytest.fixture
def images():
    return torch.randn(4, 3, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", EXPECTED)
def test_probing_finds_the_traits_and_changes_nothing(kind, images):
    torch.manual_seed(0)
    module = kind()
    module.conv.eval()  # each layer keeps its mode
    before = copy.deepcopy(module.state_dict())
    modes = [layer.training for layer in module.modules()]
    state = torch.random.get_rng_state()
    traits = probe(module, images.clone, "validation")
    assert {name: getattr(traits, name) for name in EXPECTED[kind]} == EXPECTED[kind]
    assert [layer.training for layer in module.modules()] == modes
    assert torch.equal(torch.random.get_rng_state(), state)
    after = module.state_dict()
    assert all(torch.equal(after[n].to_dense(), before[n].to_dense()) for n in before)


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_guarded_copy_gives_the_same_for_a_batch_of_one_and_changes_nothing(kind, images):
    torch.manual_seed(0)
    module = kind().eval()
    traits = probe(module, images.clone, "validation")
    weights = tensors_of(module)
    before = {name: tensor.clone() for name, tensor in weights.items()}
    inputs = images.clone()
    with torch.no_grad():
        outputs = call(guarded(meta_copy(module).eval(), traits), weights, inputs)
        single = call(guarded(meta_copy(module).eval(), traits), weights, inputs[:1])
    assert agree(single, outputs[:1], 1e-5)
    assert torch.equal(inputs, images)
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights.items())


class Drops(Flat):
    def forward(self, x):
        return functional.dropout(super().forward(x), 0.5)


class Remembers(Flat):
    last = 0.0

    def forward(self, x):
        out = super().forward(x) + self.last
        self.last = float(out.mean())
        return out


class CountsInPython(Flat):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x) * self.calls


class CountsInABuffer(Counts):
    def forward(self, x):
        return super().forward(x) * self.calls.sum()


class UsesBatchStatistics(Flat):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(4, track_running_stats=False)

    def forward(self, x):
        return self.fc(self.norm(self.conv(x)).flatten(1))


class Closure(Flat):
    """Calls a layer through a lambda, which is not copied."""

    def __init__(self):
        super().__init__()
        self.head = lambda x: self.fc(x)  # noqa: PLW0108 - the lambda is under test

    def forward(self, x):
        return self.head(self.conv(x).flatten(1))


class Stateless:
    """Holds a module's weights, like a model of another library, but computes with given ones."""

    uses_only_given_weights = True

    def __init__(self, weight):
        self.weight = weight

    def __deepcopy__(self, memo):
        return self

    def call(self, x, weight):
        return functional.linear(x, weight)


class CallsStateless(Flat):
    def __init__(self):
        super().__init__()
        self.stateless = Stateless(self.fc.weight)

    def forward(self, x):
        return self.stateless.call(self.conv(x).flatten(1), self.fc.weight)


def test_an_object_that_uses_only_given_weights_may_hold_the_original_weights(images):
    torch.manual_seed(0)
    module = CallsStateless()
    probe(module, images.clone, "validation")  # compares copies with the module


class Fails(Flat):
    def forward(self, x):
        raise ValueError("no such thing\nmore")


class Locked(Flat):
    def __init__(self):
        super().__init__()
        self.stream = (number for number in range(3))


@pytest.mark.parametrize(
    ("kind", "code", "fact"),
    [
        (Drops, "module.not_deterministic", ""),
        (Remembers, "module.not_deterministic", ""),
        (CountsInPython, "module.not_deterministic", ""),
        (CountsInABuffer, "module.not_deterministic", ""),
        (UsesBatchStatistics, "module.batch_dependent", ""),
        (Closure, "module.self_reference", ""),
        (Fails, "module.failed", "the validation data with ValueError: no such thing"),
        (Locked, "module.not_copyable", "copy.deepcopy"),
    ],
)
def test_modules_without_well_defined_predictions_are_refused(kind, code, fact, images):
    torch.manual_seed(0)
    with raises(code, fact):
        probe(kind(), images.clone, "validation")


class RefusesToBeCopied(Flat):
    """Holds an object that raises a Workbench error when it is copied."""

    def __init__(self):
        super().__init__()
        self.handle = self.Handle()

    class Handle:
        def __deepcopy__(self, memo):
            raise InputError("This handle is open: close it.", code="test.open")


def test_a_workbench_error_of_a_copy_keeps_its_code(images):
    with raises("test.open"):
        probe(RefusesToBeCopied(), images.clone, "validation")


class WritesAttributes(Flat):
    """Writes to its attributes at each call."""

    def __init__(self):
        super().__init__()
        self.shapes = []
        self.seen = {"calls": 0}

    def forward(self, x):
        self.shapes.append(x.shape)
        self.seen["calls"] += 1
        self.hidden = self.conv(x)
        return self.fc(self.hidden.flatten(1))


def test_attributes_that_a_module_writes_are_restored(images):
    module = WritesAttributes()
    before = set(vars(module))
    probe(module, images.clone, "validation")
    assert (module.shapes, module.seen, set(vars(module))) == ([], {"calls": 0}, before)


def test_a_layer_under_two_names_keeps_its_parameters(images):
    module = nn.Sequential(nn.Flatten(), nn.Linear(108, 108), nn.Linear(108, 5))
    module.append(module[1])
    module.again = module[1]
    module = nn.Sequential(module[0], module[1], nn.ReLU(), module[1], module[2])
    before = dict(module.named_parameters())
    values = {name: tensor.detach().clone() for name, tensor in before.items()}
    probe(module, images.clone, "validation")
    after = dict(module.named_parameters())
    assert all(after[name] is before[name] for name in before)
    assert all(torch.equal(after[name], values[name]) for name in before)
    private = meta_copy(module).eval()
    with torch.no_grad():
        expected = module.eval()(images)
    for _ in range(2):
        assert agree(call(private, tensors_of(module), images), expected, 1e-6)
    assert all(
        isinstance(tensor, nn.Parameter) and tensor.is_meta for tensor in private.parameters()
    )


class CachesWeights(Flat):
    """Caches a product of weights at the first call."""

    merged = None

    def forward(self, x):
        if self.merged is None:
            self.merged = self.fc.weight @ torch.eye(64) * 2
        return self.conv(x).flatten(1) @ self.merged.T


def test_caches_of_a_module_are_not_used_with_other_weights(images):
    torch.manual_seed(0)
    module = CachesWeights().eval()
    traits = probe(module, images.clone, "validation")
    assert traits.mutates_attributes
    assert module.merged is None
    private, weights = guarded(meta_copy(module).eval(), traits), tensors_of(module)
    with torch.no_grad():
        first = call(private, weights, images)
        zeros = call(private, weights | {"fc.weight": torch.zeros(5, 64)}, images)
    assert bool(first.abs().sum() > 1)
    assert bool((zeros == 0).all())


class Reassigns(Flat):
    """Replaces a buffer by another tensor at each call."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(5))

    def forward(self, x):
        out = super().forward(x)
        self.mean = self.mean * 0.9 + out.mean(0)
        return out


class UsesReassigned(Reassigns):
    def forward(self, x):
        return super().forward(x) - self.mean


def test_a_buffer_that_the_module_replaces_is_restored(images):
    module = Reassigns()
    mean = module.mean
    probe(module, images.clone, "validation")
    assert module.mean is mean
    assert bool((mean == 0).all())
    with raises("module.not_deterministic"):
        probe(UsesReassigned(), images.clone, "validation")


class UsesBatchMaximum(Flat):
    """Its outputs depend on the batch slightly, and only if another example has a larger norm."""

    def forward(self, x):
        return super().forward(x / x.flatten(1).norm(dim=1).max())


def test_every_example_is_run_alone(images):
    images[3] *= 3  # affects all other examples
    with raises("module.batch_dependent"):
        probe(UsesBatchMaximum(), images.clone, "validation")
