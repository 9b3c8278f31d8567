"""What a module kind of the table is, and how one is registered and built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from tests.field.data import CLASSES, splits, task_of
from tests.field.loop import outputs


@dataclass(frozen=True)
class Kind:
    """A kind of module that people have, with the data that it takes.

    `make` returns the module with its first weights, `data` is a key of `data.FORMS`. Where
    `refused` is set, `wb.from_module` must refuse the module in a sentence that this pattern matches;
    where `may_refuse` is set, it may. Where `untrained` is set, recipes that need gradients may be
    refused in such a sentence. `plain` makes the same network without what is peculiar to its
    weights, so that its state holds the tensors that a file should hold; `make` unless given.
    """

    name: str
    make: Callable[[], nn.Module]
    data: str
    refused: str = ""
    may_refuse: str = ""
    untrained: str = ""
    plain: Callable[[], nn.Module] | None = None

    def build(self) -> nn.Module:
        """Return the module in eval mode: always the same weights, large enough to matter."""
        return balanced(self.make, self.data)

    def build_plain(self) -> nn.Module:
        """Return the network that has the tensors of a file as its state."""
        return balanced(self.plain or self.make, self.data)


TABLE: dict[str, Kind] = {}
"""All kinds by name, in the order in which their files are imported."""


def kind(data: str, **settings):
    """Register a module class or a function that makes a module, with other fields of `Kind`."""

    def register(make):
        name = make.__name__
        assert name not in TABLE, name
        TABLE[name] = Kind(name, make, data, **settings)
        return make

    return register


def balanced(make: Callable[[], nn.Module], form: str) -> nn.Module:
    """Return a module whose head tells the classes of the validation data about equally often."""
    module = _built(make)
    if task_of(form) == "classes":
        heads = [one for one in module.parameters() if one.shape == (CLASSES,)]
        inputs = splits(form)["validation"][0]
        with torch.inference_mode(any(one.is_inference() for one in heads)), torch.no_grad():
            if heads:
                heads[-1].sub_(outputs(_built(make), inputs).mean(0))
    return module


def _built(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = make().eval()
        with torch.inference_mode(any(one.is_inference() for one in module.parameters())):
            _spread(module)
    return module


@torch.no_grad()
def _spread(module: nn.Module) -> None:
    """Enlarge matrices, and move vectors and running statistics from ones and zeros."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            parameter.mul_(2.0)
        elif parameter.ndim == 1:
            parameter.add_(0.1 * torch.randn(parameter.shape, dtype=parameter.dtype))
    for layer in module.modules():
        if isinstance(layer, _NormBase) and layer.running_mean is not None:
            layer.running_mean.normal_(0, 0.2)
            layer.running_var.uniform_(0.4, 1.2)
