"""Unusual parameters: tied, bare, masked, frozen, computed."""

from __future__ import annotations

import warnings
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize, prune

from tests.field.data import CLASSES, WORDS
from tests.field.kind import kind


def perceptron(*sizes: int) -> nn.Sequential:
    """Return linear layers of these sizes with ReLU between them."""
    layers = [nn.Linear(*pair) for pair in pairwise(sizes)]
    return nn.Sequential(*(one for layer in layers for one in (layer, nn.ReLU())))[:-1]


class Convolutions(nn.Module):
    """Two convolutions with norms, and a classification head."""

    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.c2, self.b2 = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        x = F.relu(self.b1(self.c1(x)))
        return self.fc(F.relu(self.b2(self.c2(x))).mean((2, 3)))


def unmasked() -> nn.Module:
    """Return the network of `masked` with permanent masks."""
    module = masked()
    for name in ("c1", "c2", "fc"):
        prune.remove(getattr(module, name), "weight")
    return module


@kind("pictures", plain=unmasked)
def masked():
    """Return a network with the masks of `torch.nn.utils.prune`."""
    module = Convolutions()
    prune.l1_unstructured(module.c1, "weight", amount=0.3)
    prune.ln_structured(module.c2, "weight", amount=0.25, n=2, dim=0)
    prune.random_unstructured(module.fc, "weight", amount=0.25)
    return module


@kind("pictures")
def half_zeros():
    """Return a network in which half of the weights are zero."""
    module = Convolutions()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter[parameter.abs() < parameter.abs().median()] = 0
    return module


@kind("pictures")
def frozen_layer():
    """Return a network whose first layer and norm are frozen, as for fine-tuning."""
    module = Convolutions()
    module.c1.requires_grad_(requires_grad=False)
    module.b1.requires_grad_(requires_grad=False)
    return module


@kind("pictures")
def frozen_norms():
    """Return a network in which only the norms are frozen."""
    module = Convolutions()
    for norm in (module.b1, module.b2):
        norm.requires_grad_(requires_grad=False)
    return module


@kind("pictures", untrained="frozen|requires_grad|train")
def all_frozen():
    """Return a network in which all parameters are frozen."""
    return Convolutions().requires_grad_(requires_grad=False)


@kind("next words")
class TiedHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.hidden = nn.Embedding(WORDS, 8), nn.Linear(8, 8)
        self.head = nn.Linear(8, WORDS, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids):
        return self.head(torch.tanh(self.hidden(self.embed(ids))))


@kind("points")
class UsedTwice(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.shared, self.two = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = F.relu(self.shared(F.relu(self.one(x))))
        return self.two(F.relu(self.shared(x)) + x)


@kind("points")
class UnderTwoNames(nn.Module):
    """One layer registered under two names."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.layers = nn.ModuleList([self.first, nn.ReLU(), self.first, nn.ReLU()])
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


@kind("points")
class ParameterLists(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.ParameterList([torch.randn(8, 8) / 2, torch.randn(CLASSES, 8) / 2])
        self.biases = nn.ParameterDict({"a": torch.zeros(8), "b": torch.zeros(CLASSES)})

    def forward(self, x):
        x = torch.tanh(F.linear(x, self.weights[0], self.biases["a"]))
        return F.linear(x, self.weights[1], self.biases["b"])


@kind("sequences")
class BareEinsum(nn.Module):
    """Projections of several heads as bare three-dimensional parameters."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Parameter(torch.randn(3, 2, 8, 4) / 3)
        self.out = nn.Parameter(torch.randn(2, 4, 8) / 3)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        q, k, v = torch.einsum("btd,nhde->nbhte", x, self.qkv)
        seen = torch.einsum("bhte,bhse->bhts", q, k).softmax(-1) @ v
        return self.head(x + torch.einsum("bhte,hed->btd", seen, self.out)).mean(1)


@kind("two numbers")
class ReadsWeights(nn.Module):
    """A layer's weight is read without calling the layer, and used again transposed."""

    def __init__(self):
        super().__init__()
        self.down, self.head = nn.Linear(8, 5), nn.Linear(8, 2)

    def forward(self, x):
        code = torch.tanh(F.linear(x, self.down.weight, self.down.bias))
        return self.head(code @ self.down.weight)


@kind("points")
class Scalars(nn.Module):
    """Scalar parameters, and one-dimensional gains."""

    def __init__(self):
        super().__init__()
        self.body = perceptron(8, 10, CLASSES)
        self.temperature = nn.Parameter(torch.tensor(0.7))
        self.gain = nn.Parameter(torch.ones(8))

    def forward(self, x):
        return self.body(x * self.gain) * self.temperature.exp()


@kind("sequences")
class ClassToken(nn.Module):
    """A token and positions as three-dimensional parameters with a first dimension of one."""

    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.places = nn.Parameter(torch.randn(1, 7, 8) * 0.3)
        self.mix, self.head = nn.Linear(7, 7), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        return self.head(F.gelu(self.mix(x.transpose(1, 2))).transpose(1, 2)[:, 0])


def _with(parametrized):
    module = Convolutions()
    module.c2, module.fc = parametrized(module.c2), parametrized(module.fc)
    return module


@kind("pictures")
def weight_norm():
    """Return a network with weight norm as a parametrization."""
    return _with(parametrizations.weight_norm)


@kind("pictures")
def old_weight_norm():
    """Return a network with weight norm as hooks, as before PyTorch 2."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _with(nn.utils.weight_norm)


@kind("pictures")
def spectral_norm():
    """Return a network with spectral norm as a parametrization."""
    return _with(parametrizations.spectral_norm)


@kind("pictures")
def old_spectral_norm():
    """Return a network with spectral norm as hooks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _with(nn.utils.spectral_norm)


@kind("points")
def orthogonal():
    """Return a network with an orthogonal parametrization."""
    module = perceptron(8, 8, 8, CLASSES)
    module[2] = parametrizations.orthogonal(module[2])
    return module


class Symmetric(nn.Module):
    """A custom parametrization."""

    def forward(self, weight):
        return weight.triu() + weight.triu(1).transpose(-1, -2)


@kind("points")
def symmetric():
    """Return a network with a custom parametrization."""
    module = perceptron(8, 8, CLASSES)
    parametrize.register_parametrization(module[0], "weight", Symmetric())
    return module


@kind("points", refused="module.complex_weights")
class ComplexWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.spectrum = nn.Parameter(torch.randn(5, 5, dtype=torch.complex64))
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.fc(torch.fft.irfft(torch.fft.rfft(x) @ self.spectrum, 8))


@kind("points", refused="module.complex_weights")
class ComplexBias(nn.Module):
    """The complex parameter is one-dimensional, so it is not compressed itself."""

    def __init__(self):
        super().__init__()
        self.phases = nn.Parameter(torch.randn(5, dtype=torch.complex64))
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.fc(torch.fft.irfft(torch.fft.rfft(x) * self.phases, 8))


@kind("points")
class UnusedLayer(nn.Module):
    """Layers that do not affect the outputs."""

    def __init__(self):
        super().__init__()
        self.body = perceptron(8, 10, CLASSES)
        self.leftover = nn.Linear(10, 12)
        self.norm = nn.BatchNorm1d(10)

    def forward(self, x):
        return self.body(x)


@kind("points")
class DetachedLayer(nn.Module):
    """A layer without gradient, although it affects the outputs."""

    def __init__(self):
        super().__init__()
        self.fixed, self.body = nn.Linear(8, 8), perceptron(8, 10, CLASSES)

    def forward(self, x):
        with torch.no_grad():
            x = torch.tanh(self.fixed(x))
        return self.body(x.detach())


@kind("points")
class ListOfLayers(nn.Module):
    """Layers in a Python list, which PyTorch does not register, and a registered layer."""

    def __init__(self):
        super().__init__()
        self.hidden = [nn.Linear(8, 8), nn.Linear(8, 8)]
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.head(x)
