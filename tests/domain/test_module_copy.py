"""Copies of modules equal those of `copy.deepcopy`, with the same objects shared in them."""

from __future__ import annotations

import copy
import weakref
from collections import OrderedDict
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

from workbench.domain import module_copy
from workbench.domain.module_copy import deep_copy, meta_copy


class Net(nn.Module):
    """A layer with any attributes."""

    def __init__(self, **attributes):
        super().__init__()
        self.first = nn.Linear(3, 4)
        for name, value in attributes.items():
            setattr(self, name, value)


class Counting(Net):
    """Counts its copies."""

    def __deepcopy__(self, memo):
        copied = Counting(copies=getattr(self, "copies", 0) + 1)
        memo[id(self)] = copied
        copied.load_state_dict(self.state_dict())
        return copied


class Slotted(Net):
    """Has a value outside of its dict."""

    __slots__ = ("outside",)


class Reduced(Net):
    """Is made by its constructor."""

    def __reduce__(self):
        return (Reduced, (), {"made": True, **self.__dict__})


class Forgetting(Net):
    """Leaves a value out of its state."""

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "cached"}


class Renewing(Net):
    """Has a state of new objects, which exist only while it is copied."""

    def __getstate__(self):
        return {**self.__dict__, "new": [{}, {"x": {}}], "empty": {}, "list": []}


class Tupled(Net):
    """Has a state that is no dict."""

    def __getstate__(self):
        return ("state", self.__dict__)

    def __setstate__(self, state):
        super().__setstate__(state[1])


class Restoring(Net):
    """Changes what it is given."""

    def __setstate__(self, state):
        super().__setstate__(state)
        self.restored = True


def tied():
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    net[1].weight = net[0].weight
    return net


def used_twice():
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.ReLU(), layer)


def in_a_circle():
    net = Net()
    object.__setattr__(net.first, "parent", net)
    net.all = [net, net.first, {"deep": (net,)}]
    return net


def hooked():
    net = Net()
    net.first.register_forward_hook(partial(lambda scale, _m, _i, o: o * scale, 2))
    net.register_forward_pre_hook(lambda module, inputs: inputs)
    return net


def with_buffers():
    net = Net()
    net.register_buffer("saved", torch.arange(3))
    net.register_buffer("unsaved", torch.ones(2), persistent=False)
    net.view = net.saved[1:]
    return net


def slotted():
    net = Slotted()
    net.outside = [1, 2]
    return net


def parametrized():
    net = nn.Linear(3, 3)
    parametrize.register_parametrization(net, "weight", nn.Tanh())
    return net


def copied_by_a_method():
    net = Net(name="before")
    net.__dict__["__deepcopy__"] = lambda memo: nn.Sequential(nn.ReLU())
    return net


def sharing_empty_values():
    empty = {}
    return Net(one=empty, other=empty, lists=[empty, OrderedDict()], ordered=OrderedDict(a=[1]))


MODULES = {
    "plain": Net,
    "numbers": lambda: Net(size=3, ratio=0.5, name="x", shape=(1, 2), nothing=None, flags={1, 2}),
    "nested": lambda: Net(items=[nn.Linear(2, 2), (nn.ReLU(), {"a": nn.Linear(1, 1)}, {3: [4]})]),
    "tensors": lambda: Net(cache={"x": torch.ones(2)}, pair=(torch.zeros(1), 2)),
    "tied": tied,
    "used twice": used_twice,
    "in a circle": in_a_circle,
    "hooked": hooked,
    "buffers": with_buffers,
    "own copy": Counting,
    "own copy inside": lambda: nn.Sequential(Counting(), nn.ReLU()),
    "copied by a method": copied_by_a_method,
    "slots": slotted,
    "reduced": Reduced,
    "forgetting": lambda: nn.Sequential(Forgetting(cached=torch.ones(1))),
    "renewing": lambda: nn.Sequential(*[Renewing() for _ in range(30)]),
    "tupled": lambda: nn.Sequential(Tupled(cached=[1])),
    "restoring": lambda: nn.Sequential(Restoring()),
    "parametrized": parametrized,
    "weight norm": lambda: weight_norm(nn.Linear(3, 3)),
    "shared empty values": sharing_empty_values,
    "recurrent": lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True),
    "attention": lambda: nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16), nn.GELU()),
    "norms": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.1)),
    "lists": lambda: nn.ModuleDict({"a": nn.ModuleList([nn.ReLU()]), "b": nn.Embedding(3, 2)}),
    "parameter list": lambda: Net(many=nn.ParameterList([torch.ones(2), torch.zeros(1)])),
}


def description(value, seen=None):
    """Return plain data about a value: types, numbers, and which objects are the same one."""
    seen = {} if seen is None else seen
    if isinstance(value, type | bool | int | float | str | None):
        return value
    if id(value) in seen:
        return f"object {seen[id(value)][0]}"
    seen[id(value)] = len(seen), value
    return type(value).__qualname__, *(
        part if isinstance(value, torch.Tensor) else description(part, seen)
        for part in parts(value)
    )


def parts(value):
    if isinstance(value, torch.Tensor):
        return value.tolist(), value.requires_grad, value.dtype, value.stride()
    if isinstance(value, weakref.ref):
        return (value(),)
    if isinstance(value, dict):
        return [part for item in value.items() for part in item]
    if isinstance(value, list | tuple | set):
        return value
    return getattr(value, "outside", None), getattr(value, "__dict__", None)


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_a_copy_is_that_of_deepcopy(make):
    torch.manual_seed(0)
    module = make()
    before = description(module)
    assert description(deep_copy(module, {})) == description(copy.deepcopy(module))
    assert description(module) == before


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_a_copy_shares_only_what_replaces_something(make):
    module = make()
    replaced = {id(p): p for p in module.parameters()}
    copied = deep_copy(module, dict(replaced))
    assert copied is not module
    own = {id(layer) for layer in module.modules()}
    assert not own & {id(layer) for layer in copied.modules()}


def test_tensors_are_replaced_by_their_identity():
    net = tied()
    weight = nn.Parameter(torch.zeros(4, 4))
    copied = deep_copy(net, {id(net[0].weight): weight})
    assert copied[0].weight is weight
    assert copied[1].weight is weight
    assert copied[1].bias is not net[1].bias


def test_a_copy_without_values_has_the_same_shapes():
    copied = meta_copy(with_buffers())
    assert {p.device.type for p in copied.parameters()} == {"meta"}
    assert (copied.saved.device.type, copied.unsaved.device.type) == ("meta", "cpu")


def test_frequent_modules_are_copied_here(monkeypatch):
    """Otherwise the copies are right, and slow."""
    attention = nn.TransformerEncoderLayer(8, 2, 16)
    frequent = nn.Sequential(attention, nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.LSTM(2, 2))
    calls, deepcopy = [], copy.deepcopy

    def counted(value, memo):
        calls.append(value)
        return deepcopy(value, memo)

    monkeypatch.setattr(module_copy.copy, "deepcopy", counted)
    meta_copy(frequent)
    assert not [value for value in calls if isinstance(value, nn.Module)]
