"""Digests distinguish modules with equal weights that agree on a few examples."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.custom.code_digest import code_digest

SLOPE = 0.1
NETWORK = """
import torch
from torch import nn


class Net(nn.Module):
    slopes = frozenset({"a", "b"})

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.names = {"x", "y", "z"}
        self.layer.register_forward_hook(print)

    def forward(self, x):
        return torch.relu(self.layer(x))
"""
SCRIPT = """
import network
from workbench.custom.code_digest import code_digest

print(code_digest(network.Net()))
"""
HELPERS = """
import torch

SLOPE = {slope}
TABLE = torch.tensor([{slope}])


def leaky(x):
    return torch.nn.functional.leaky_relu(x, SLOPE)
"""


class Net(nn.Module):
    """A layer, a setting and a function."""

    constant = 1

    def __init__(self, setting=0, function=torch.relu):
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.setting = setting
        self.function = function

    def forward(self, x):
        return self.function(self.layer(x))


class Clipped(Net):
    def forward(self, x):
        return self.function(self.layer(x)).clamp(max=9)


class OtherConstant(Net):
    constant = 2


class WithTuple(Net):
    sizes = (1, 2)


class WithOtherTuple(Net):
    sizes = (1, 3)


WithOtherTuple.__qualname__ = WithTuple.__qualname__


class WithProperty(Net):
    @property
    def slope(self):
        return 0.1


class WithOtherProperty(Net):
    @property
    def slope(self):
        return 0.2


WithOtherProperty.__qualname__ = WithProperty.__qualname__


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Config:
    def __init__(self, **values):
        self.__dict__.update(values)


def buffered(value, persistent=False):
    net = Net()
    net.register_buffer("table", torch.tensor([value]), persistent=persistent)
    return net


def hooked(factor):
    net = Net()
    net.layer.register_forward_hook(lambda layer, inputs, outputs: outputs * factor)
    return net


def closed_over(value):
    return Net(function=lambda x: x * value)


def with_method(value):
    net = Net()

    def forward(self, x):
        return self.layer(x) * value

    net.forward = forward.__get__(net)
    return net


def stride(size):
    return nn.Sequential(nn.Conv2d(1, 2, 3, stride=size, padding=1), nn.AdaptiveAvgPool2d(1))


def padding(mode):
    return nn.Conv2d(1, 2, 3, padding=1, padding_mode=mode)


def with_names(names):
    return Net(setting=Config(names=names, inner=Slotted(len(names))))


def scripted(bound):
    class Bounded(nn.Module):
        def forward(self, x):
            return x.clamp(max=9.0) if bound else x.clamp(max=8.0)

    return torch.jit.trace(Bounded(), torch.zeros(2))


# Pairs of modules with one difference, which compute the same for most inputs.
PAIRS = {
    "a setting": (lambda: Net(1), lambda: Net(2)),
    "the type of a setting": (lambda: Net(1), lambda: Net(1.0)),
    "a setting that is true": (lambda: Net(1), lambda: Net(True)),
    "a function": (Net, lambda: Net(function=F.gelu)),
    "the class of the module": (Net, Clipped),
    "a constant of the class": (Net, OtherConstant),
    "a tuple of the class": (WithTuple, WithOtherTuple),
    "a property": (WithProperty, WithOtherProperty),
    "a constant in a lambda": (
        lambda: Net(function=lambda x: x.clamp(max=8)),
        lambda: Net(function=lambda x: x.clamp(max=9)),
    ),
    "a value in a closure": (lambda: closed_over(1), lambda: closed_over(2)),
    "a bound argument": (
        lambda: Net(function=partial(F.leaky_relu, negative_slope=0.1)),
        lambda: Net(function=partial(F.leaky_relu, negative_slope=0.2)),
    ),
    "a method of the instance": (lambda: with_method(1), lambda: with_method(2)),
    "a hook": (lambda: hooked(1), lambda: hooked(2)),
    "a buffer that is not saved": (lambda: buffered(1.0), lambda: buffered(2.0)),
    "whether a buffer is saved": (lambda: buffered(1.0), lambda: buffered(1.0, True)),
    "an array": (lambda: Net(np.arange(3)), lambda: Net(np.arange(1, 4))),
    "a tensor": (lambda: Net(torch.ones(2)), lambda: Net(torch.zeros(2))),
    "a nested setting": (lambda: Net({"a": [1, (2,)]}), lambda: Net({"a": [1, (3,)]})),
    "a set": (lambda: Net({1, 2}), lambda: Net({1, 3})),
    "an object's attribute": (lambda: with_names("ab"), lambda: with_names("abc")),
    "a stride": (lambda: stride(1), lambda: stride(2)),
    "padding": (lambda: padding("zeros"), lambda: padding("reflect")),
    "an activation": (lambda: nn.Sequential(nn.ReLU()), lambda: nn.Sequential(nn.ReLU6())),
    "a slope": (lambda: nn.LeakyReLU(0.1), lambda: nn.LeakyReLU(0.2)),
    "an epsilon": (lambda: nn.LayerNorm(3), lambda: nn.LayerNorm(3, eps=1e-6)),
    "the order of layers": (
        lambda: nn.Sequential(nn.ReLU(), nn.Tanh()), lambda: nn.Sequential(nn.Tanh(), nn.ReLU())
    ),
    "a dtype": (Net, lambda: Net().bfloat16()),
    "a traced graph": (lambda: scripted(True), lambda: scripted(False)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("difference", PAIRS)
def test_a_single_difference_changes_the_digest(difference):
    one, other = PAIRS[difference]
    assert code_digest(one()) == code_digest(one())
    assert code_digest(other()) == code_digest(other())
    assert code_digest(one()) != code_digest(other())


@pytest.mark.parametrize("used", ["SLOPE", "TABLE", "leaky"])
def test_global_variables_of_a_function_are_digested(tmp_path, monkeypatch, used):
    """Constants, tensors and functions in the globals of a function."""
    monkeypatch.syspath_prepend(str(tmp_path))
    digests = []
    for slope in (0.1, 0.2):
        helpers: dict = {"__name__": "helpers"}
        exec(HELPERS.format(slope=slope), helpers)
        code = f"def act(x):\n    return {used}"
        digests.append(code_digest(Net(function=_defined(code, helpers))))
    assert digests[0] != digests[1]


def _defined(code, names):
    exec(code, names)
    return names["act"]


def test_weights_and_the_mode_are_ignored():
    one, other = Net(), Net().train()
    with torch.no_grad():
        other.layer.weight.add_(1)
    assert code_digest(one.eval()) == code_digest(other)


def test_cyclic_and_deep_references_terminate():
    net = Net()
    ring = [net]
    ring.append(ring)
    net.setting = Config(ring=ring, net=net, deep=None)
    deepest = net.setting
    for _ in range(5000):
        deepest.deep = Config(deep=None)
        deepest = deepest.deep
    assert code_digest(net) == code_digest(net)


@pytest.mark.slow
def test_the_digest_is_the_same_in_another_process(tmp_path):
    (tmp_path / "network.py").write_text(NETWORK, encoding="utf-8")
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=tmp_path, env=_environment(seed), check=True,
            capture_output=True, encoding="utf-8",
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1


def _environment(seed):
    return {**os.environ, "PYTHONHASHSEED": seed}
