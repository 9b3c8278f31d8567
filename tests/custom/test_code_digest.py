"""What tells two modules apart that have equal weights and agree on a few examples."""

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
KEPT = """
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
ASK = """
import kept
from workbench.custom.code_digest import code_digest

print(code_digest(kept.Net()))
"""
HELPERS = """
import torch

SLOPE = {slope}
TABLE = torch.tensor([{slope}])


def leaky(x):
    return torch.nn.functional.leaky_relu(x, SLOPE)
"""


class Net(nn.Module):
    """A layer, and whatever `setting` and `function` are."""

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


class Listed(Net):
    sizes = (1, 2)


class ListedOtherwise(Net):
    sizes = (1, 3)


ListedOtherwise.__qualname__ = Listed.__qualname__


class Described(Net):
    @property
    def slope(self):
        return 0.1


class DescribedOtherwise(Net):
    @property
    def slope(self):
        return 0.2


DescribedOtherwise.__qualname__ = Described.__qualname__


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


def methodical(value):
    net = Net()

    def forward(self, x):
        return self.layer(x) * value

    net.forward = forward.__get__(net)
    return net


def stride(size):
    return nn.Sequential(nn.Conv2d(1, 2, 3, stride=size, padding=1), nn.AdaptiveAvgPool2d(1))


def padding(mode):
    return nn.Conv2d(1, 2, 3, padding=1, padding_mode=mode)


def kept(names):
    return Net(setting=Config(names=names, inner=Slotted(len(names))))


def scripted(bound):
    class Bounded(nn.Module):
        def forward(self, x):
            return x.clamp(max=9.0) if bound else x.clamp(max=8.0)

    return torch.jit.trace(Bounded(), torch.zeros(2))


# Two that differ in one thing alone, and compute the same for most inputs.
PAIRS = {
    "a setting": (lambda: Net(1), lambda: Net(2)),
    "the kind of a setting": (lambda: Net(1), lambda: Net(1.0)),
    "a setting that is true": (lambda: Net(1), lambda: Net(True)),
    "a function": (Net, lambda: Net(function=F.gelu)),
    "the class of the module": (Net, Clipped),
    "a constant of the class": (Net, OtherConstant),
    "a list that a class holds": (Listed, ListedOtherwise),
    "a property": (Described, DescribedOtherwise),
    "a constant in a lambda": (
        lambda: Net(function=lambda x: x.clamp(max=8)),
        lambda: Net(function=lambda x: x.clamp(max=9)),
    ),
    "a value that is closed over": (lambda: closed_over(1), lambda: closed_over(2)),
    "an argument bound": (
        lambda: Net(function=partial(F.leaky_relu, negative_slope=0.1)),
        lambda: Net(function=partial(F.leaky_relu, negative_slope=0.2)),
    ),
    "a method put on it": (lambda: methodical(1), lambda: methodical(2)),
    "a hook": (lambda: hooked(1), lambda: hooked(2)),
    "a buffer that is not saved": (lambda: buffered(1.0), lambda: buffered(2.0)),
    "whether a buffer is saved": (lambda: buffered(1.0), lambda: buffered(1.0, True)),
    "an array held": (lambda: Net(np.arange(3)), lambda: Net(np.arange(1, 4))),
    "a tensor held": (lambda: Net(torch.ones(2)), lambda: Net(torch.zeros(2))),
    "a nested setting": (lambda: Net({"a": [1, (2,)]}), lambda: Net({"a": [1, (3,)]})),
    "a set": (lambda: Net({1, 2}), lambda: Net({1, 3})),
    "an object's attribute": (lambda: kept("ab"), lambda: kept("abc")),
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
@pytest.mark.parametrize("what", PAIRS)
def test_one_difference_is_seen_and_equal_modules_are_equal(what):
    one, other = PAIRS[what]
    assert code_digest(one()) == code_digest(one())
    assert code_digest(other()) == code_digest(other())
    assert code_digest(one()) != code_digest(other())


@pytest.mark.parametrize("used", ["SLOPE", "TABLE", "leaky"])
def test_what_a_function_looks_up_counts(tmp_path, monkeypatch, used):
    """Of a module's own globals, and of another module that it imports."""
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


def test_weights_and_the_mode_do_not_count():
    one, other = Net(), Net().train()
    with torch.no_grad():
        other.layer.weight.add_(1)
    assert code_digest(one.eval()) == code_digest(other)


def test_values_that_hold_each_other_end():
    net = Net()
    ring = [net]
    ring.append(ring)
    net.setting = Config(ring=ring, net=net, deep=None)
    deepest = net.setting
    for _ in range(5000):
        deepest.deep = Config(deep=None)
        deepest = deepest.deep
    assert code_digest(net) == code_digest(net)


def test_another_process_finds_the_same(tmp_path):
    (tmp_path / "cache/files.py").write_text(KEPT, encoding="utf-8")
    found = {
        subprocess.run(
            [sys.executable, "-c", ASK], cwd=tmp_path, env=_environment(seed), check=True,
            capture_output=True, encoding="utf-8",
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def _environment(seed):
    return {**os.environ, "PYTHONHASHSEED": seed}
