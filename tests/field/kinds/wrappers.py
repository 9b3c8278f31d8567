"""Modules inside wrappers, with functions as attributes, or built in other modes."""

from __future__ import annotations

import functools
import types

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES
from tests.field.kind import kind
from tests.field.kinds.attention import Encoder
from tests.field.kinds.parameters import Convolutions, perceptron

CAPTURED = "module.(self_reference|copy_differs)"
"""The error codes of modules that call their layers through a function."""


@kind("pictures", plain=Convolutions)
def data_parallel():
    """Return a network in DataParallel without devices."""
    return nn.DataParallel(Convolutions())


@kind("pictures", plain=Convolutions)
def compiled():
    """Return a network that `torch.compile` wraps."""
    return torch.compile(Convolutions(), backend="eager")


@kind("points")
def compiled_in_place():
    """Return a network that is compiled in place."""
    module = perceptron(8, 10, CLASSES)
    module.compile(backend="eager")
    return module


class Inner(nn.Module):
    """A wrapper whose inner network is called `module`."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, *inputs, **named):
        return self.module(*inputs, **named)


@kind("pictures")
def wrapped():
    """Return a network in a custom wrapper."""
    return Inner(Inner(Convolutions()))


@kind("points")
class Lightning(nn.Module):
    """Like a LightningModule: settings, a loss, steps, and no trainer."""

    def __init__(self):
        super().__init__()
        self.hparams = {"width": 10, "learning_rate": 1e-3}
        self.net, self.criterion = perceptron(8, 10, CLASSES), nn.CrossEntropyLoss()
        self.trainer, self.logged = None, []

    @property
    def device(self):
        return next(self.parameters()).device

    @property
    def current_epoch(self):
        return self.trainer.current_epoch  # fails before fitting, as in Lightning

    def forward(self, x):
        return self.net(x.to(self.device))

    def training_step(self, batch, number):
        return self.criterion(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), self.hparams["learning_rate"])


@kind("pictures")
def inference_tensors():
    """Return a network that was built in inference mode."""
    with torch.inference_mode():
        return Convolutions()


@kind("sequences")
def inference_encoder():
    """Return an encoder that was built in inference mode."""
    with torch.inference_mode():
        return Encoder()


@kind("points")
class Lambdas(nn.Module):
    """Functions as attributes that do not refer to the module."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)
        self.act = lambda x: x * torch.sigmoid(1.7 * x)
        self.scale = functools.partial(torch.mul, 0.5)

    def forward(self, x):
        return self.two(self.scale(self.act(self.one(x))))


@kind("points", may_refuse=CAPTURED)
class CapturesItself(nn.Module):
    """A closure calls the layers of the original module."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)
        self.head = lambda x: self.two(F.relu(x))

    def forward(self, x):
        return self.head(self.one(x))


@kind("points", may_refuse=CAPTURED)
class HoldsMethod(nn.Module):
    """A method as attribute is bound to the original module."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)
        self.steps = [self.first, functools.partial(self.second, slope=0.1)]

    def first(self, x):
        return self.one(x)

    def second(self, x, slope):
        return self.two(F.leaky_relu(x, slope))

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


@kind("points", may_refuse=CAPTURED)
def other_forward():
    """Return a network whose forward was replaced by a method bound to the instance."""
    module = perceptron(8, 10, CLASSES)

    def forward(self, x):
        return self[2](torch.tanh(self[0](x)))

    module.forward = types.MethodType(forward, module)
    return module


@kind("points", may_refuse=CAPTURED)
class ParentInList(nn.Module):
    """A layer refers to its parent module through a list, which hides it from PyTorch."""

    class Half(nn.Module):
        def __init__(self, parent):
            super().__init__()
            self.parent = [parent]

        def forward(self, x):
            return torch.tanh(self.parent[0].one(x))

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)
        self.first = ParentInList.Half(self)

    def forward(self, x):
        return self.two(self.first(x))


@kind("points")
def hooked():
    """Return a network with hooks that change inputs and outputs."""
    module = perceptron(8, 10, CLASSES)
    module[0].register_forward_pre_hook(lambda layer, inputs: (inputs[0] * 0.5,))
    module[0].register_forward_hook(lambda layer, inputs, output: output + 0.3)
    return module


@kind("points")
class CallsChildByName(nn.Module):
    """Layers are accessed by name at each call."""

    def __init__(self):
        super().__init__()
        self.body = nn.ModuleDict({"one": nn.Linear(8, 10), "two": nn.Linear(10, CLASSES)})
        self.order = ("one", "two")

    def forward(self, x):
        for name in self.order:
            x = torch.tanh(self.get_submodule(f"body.{name}")(x))
        return x
