"""Modules that count, cache, use random numbers, differentiate, or depend on the batch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES
from tests.field.kind import kind
from tests.field.kinds.parameters import Convolutions, perceptron

RANDOM = "module.not_deterministic"
BATCH = "module.batch_dependent"
STATEFUL = "module.(not_deterministic|copy_differs)"


class Perceptron(nn.Module):
    """Two layers."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 10), nn.Linear(10, CLASSES)

    def forward(self, x):
        return self.two(F.relu(self.one(x)))


@kind("points", may_refuse=STATEFUL)
class CountsInBuffer(Perceptron):
    """The counter does not affect the outputs."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x):
        self.calls += 1
        return super().forward(x)


@kind("points", may_refuse=STATEFUL)
class AveragesInBuffer(Perceptron):
    """An unused running mean that is updated in eval mode, too."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return super().forward(x)


@kind("points", refused=STATEFUL)
class DependsOnCounter(Perceptron):
    """The outputs change with each call."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.tensor(0.0))

    def forward(self, x):
        self.calls += 1
        return super().forward(x) * torch.cos(self.calls)


@kind("points", refused=STATEFUL)
class DependsOnAttribute(Perceptron):
    """The outputs change with each call, by a counter that is a Python number."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x).roll(self.calls, 1)


@kind("points")
class CountsInAttribute(Perceptron):
    """A counter and a log as attributes, which do not affect the outputs."""

    def __init__(self):
        super().__init__()
        self.calls, self.seen = 0, []

    def forward(self, x):
        self.calls += 1
        self.seen.append(tuple(x.shape))
        return super().forward(x)


@kind("sequences")
class CachesMask(nn.Module):
    """Computes its mask and positions for each new length, and caches them."""

    def __init__(self):
        super().__init__()
        self.q, self.v, self.fc = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, CLASSES)
        self.mask, self.places = None, {}

    def forward(self, x):
        count = x.shape[1]
        if self.mask is None or len(self.mask) < count:
            self.mask = torch.full((count, count), float("-inf")).triu(1)
        if count not in self.places:
            self.places[count] = torch.arange(count).float().sin()[:, None]
        x = x + self.places[count]
        return self.fc((self.q(x) @ x.transpose(1, 2) + self.mask).softmax(-1) @ self.v(x)).mean(1)


@kind("points")
class KeepsActivations(Perceptron):
    """The last hidden values are stored for inspection."""

    def forward(self, x):
        self.hidden = F.relu(self.one(x))
        return self.two(self.hidden)


@kind("points", untrained="grad")
class CachesWeights(Perceptron):
    """A product of weights is cached at the first call: it must not be used with other weights."""

    def __init__(self):
        super().__init__()
        self.merged = None

    def forward(self, x):
        if self.merged is None:
            self.merged = (self.two.weight @ self.one.weight).detach()
        return F.linear(x, self.merged)


@kind("points", refused=RANDOM)
class AlwaysDropout(Perceptron):
    def forward(self, x):
        return self.two(F.dropout(F.relu(self.one(x)), 0.3, training=True))


@kind("points", refused=RANDOM)
class AddsNoise(Perceptron):
    def forward(self, x):
        return super().forward(x + 0.1 * torch.randn_like(x))


@kind("points", refused=RANDOM)
class Samples(Perceptron):
    """A variational layer that samples from its own generator."""

    def __init__(self):
        super().__init__()
        self.lot = torch.Generator().manual_seed(1)

    def forward(self, x):
        return super().forward(x + 0.1 * torch.randn(x.shape, generator=self.lot))


@kind("points")
class SeededNoise(Perceptron):
    """The same random projection at each call, from a seed."""

    def forward(self, x):
        lot = torch.Generator().manual_seed(5)
        return super().forward(x @ torch.randn(8, 8, generator=lot))


@kind("points", refused=BATCH)
class CentersBatch(Perceptron):
    def forward(self, x):
        return super().forward(x - x.mean(0))


@kind("points", refused=BATCH)
class SoftmaxOverBatch(Perceptron):
    def forward(self, x):
        return super().forward(x) * super().forward(x).softmax(0)


@kind("points", refused=BATCH)
class BatchAttention(Perceptron):
    """Examples attend to each other."""

    def forward(self, x):
        return super().forward(F.scaled_dot_product_attention(x[None], x[None], x[None])[0])


@kind("pictures", refused=BATCH)
class FunctionalBatchNorm(Convolutions):
    def forward(self, x):
        return super().forward(F.batch_norm(x, None, None, training=True))


@kind("two numbers")
class Gradient(nn.Module):
    """The outputs are derivatives of an energy by the inputs."""

    def __init__(self):
        super().__init__()
        self.energy = nn.Sequential(nn.Linear(8, 10), nn.Tanh(), nn.Linear(10, 1))

    def forward(self, x):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (force,) = torch.autograd.grad(self.energy(x).sum(), x, create_graph=True)
        return -force[:, :2]


@kind("points", untrained="grad")
class WithoutGradient(Perceptron):
    """The forward runs under `torch.no_grad`, so nothing of it can be trained."""

    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


@kind("points")
class DropoutInEval(nn.Module):
    """Dropout that depends on the mode, and stochastic depth in training."""

    def __init__(self):
        super().__init__()
        self.body, self.drop = perceptron(8, 10, CLASSES), nn.Dropout(0.5)

    def forward(self, x):
        x = F.dropout(x, 0.2, self.training)
        return self.body(self.drop(x))
