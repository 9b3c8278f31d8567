"""Register and build the module kinds of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from tests.field.data import CLASSES, splits, task_of
from tests.field.loop import outputs


@dataclass(frozen=True)
class Kind:
    """A kind of module that users have, with the data that it takes.

    Attributes
    ----------
    make : callable
        Returns the module with its initial weights.
    data : str
        A key of `data.DATA`.
    refused : str
        If set, `wb.from_module` must refuse the module with an error whose code or message this
        pattern matches.
    may_refuse : str
        The same for modules that may also be accepted.
    untrained : str
        The same for recipes that need gradients.
    plain : callable, optional
        Returns the network without special handling of its weights, so that its state has the
        tensors that a file should contain. The default is `make`.
    """

    name: str
    make: Callable[[], nn.Module]
    data: str
    refused: str = ""
    may_refuse: str = ""
    untrained: str = ""
    plain: Callable[[], nn.Module] | None = None

    def build(self) -> nn.Module:
        """Return the module in eval mode, with fixed weights that are large enough to matter."""
        return balanced(self.make, self.data)

    def build_plain(self) -> nn.Module:
        """Return the network whose state has the tensors of a file."""
        return balanced(self.plain or self.make, self.data)


TABLE: dict[str, Kind] = {}
"""All kinds by name, in the order in which they are imported."""


def kind(data: str, **settings):
    """Register a module class or a function that returns a module, with other fields of `Kind`."""

    def register(make):
        name = make.__name__
        assert name not in TABLE, name
        TABLE[name] = Kind(name, make, data, **settings)
        return make

    return register


def balanced(make: Callable[[], nn.Module], data: str) -> nn.Module:
    """Return a module that predicts all classes of the validation data about equally often."""
    module = _built(make)
    if task_of(data) == "classes":
        heads = [p for p in module.parameters() if p.shape == (CLASSES,)]
        with torch.inference_mode(any(p.is_inference() for p in heads)), torch.no_grad():
            if heads:
                heads[-1].sub_(_mean_outputs(make, data))
    return module


@lru_cache(maxsize=4)  # a module is built again for each recipe
def _mean_outputs(make: Callable[[], nn.Module], data: str) -> Tensor:
    return outputs(_built(make), splits(data)["validation"][0]).mean(0)


def _built(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)  # several times faster than `torch.manual_seed`
        module = make().eval()
        with torch.inference_mode(any(p.is_inference() for p in module.parameters())):
            _spread(module)
    return module


@torch.no_grad()
def _spread(module: nn.Module) -> None:
    """Scale matrices, and change vectors and running statistics from ones and zeros."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            parameter.mul_(2.0)
        elif parameter.ndim == 1:
            parameter.add_(0.1 * torch.randn(parameter.shape, dtype=parameter.dtype))
    for layer in module.modules():
        if isinstance(layer, _NormBase) and layer.running_mean is not None:
            layer.running_mean.normal_(0, 0.2)
            layer.running_var.uniform_(0.4, 1.2)
