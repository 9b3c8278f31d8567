"""Norms of every kind, and graphs in which folding one into a layer is not exact."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES
from tests.field.kind import kind

BATCH = "module.batch_dependent"


def _normed(norm, shape=nn.Conv2d, inputs=3):
    """Return a convolution, the norm of eight channels, another convolution, and a head."""
    pool = nn.AdaptiveAvgPool2d(1) if shape is nn.Conv2d else nn.AdaptiveAvgPool1d(1)
    layers = [shape(inputs, 8, 3, padding=1), norm, nn.ReLU(), shape(8, 8, 3), nn.ReLU()]
    return nn.Sequential(*layers, pool, nn.Flatten(), nn.Linear(8, CLASSES))


@kind("pictures")
def group_norm():
    """Return a network with group norm."""
    return _normed(nn.GroupNorm(2, 8))


@kind("pictures")
def instance_norm():
    """Return a network with instance norm without parameters."""
    return _normed(nn.InstanceNorm2d(8))


@kind("pictures")
def instance_norm_affine():
    """Return a network with instance norm with parameters."""
    return _normed(nn.InstanceNorm2d(8, affine=True))


@kind("signals")
def instance_norm_tracking():
    """Return a network with instance norm with running statistics."""
    return _normed(nn.InstanceNorm1d(8, track_running_stats=True), nn.Conv1d, 2)


@kind("pictures")
def layer_norm_plain():
    """Return a network with layer norm over images, without parameters."""
    return _normed(nn.LayerNorm([8, 8, 8], elementwise_affine=False))


@kind("pictures")
def batch_norm_plain():
    """Return a network whose batch norm has no parameters."""
    return _normed(nn.BatchNorm2d(8, affine=False))


@kind("pictures", refused=BATCH)
def batch_norm_of_batch():
    """Return a network whose batch norm has no running statistics."""
    return _normed(nn.BatchNorm2d(8, track_running_stats=False))


@kind("pictures", refused=BATCH)
def batch_norm_in_training():
    """Return a network with one norm that always uses batch statistics."""

    class Always(nn.BatchNorm2d):
        def train(self, mode=True):
            return super().train(True)

    return _normed(Always(8))


@kind("pictures")
def local_response_norm():
    """Return a network with local response norm, as in AlexNet."""
    return _normed(nn.LocalResponseNorm(3))


@kind("sequences")
def rms_norm():
    """Return a network with PyTorch's RMS norm."""
    return nn.Sequential(
        nn.Linear(8, 8), nn.RMSNorm(8), nn.GELU(), nn.Flatten(), nn.Linear(48, CLASSES)
    )


@kind("sequences")
class NormOverPlaces(nn.Module):
    """One-dimensional batch norm on three-dimensional inputs: channels come second."""

    def __init__(self):
        super().__init__()
        self.one, self.n, self.two = nn.Linear(8, 10), nn.BatchNorm1d(10), nn.Linear(10, CLASSES)

    def forward(self, x):
        x = self.n(self.one(x).transpose(1, 2)).transpose(1, 2)
        return self.two(F.relu(x).mean(1))


@kind("volumes")
def norm_of_volumes():
    """Return a network over volumes with norms before and after a layer."""
    layers = [nn.BatchNorm3d(1), nn.Conv3d(1, 6, 3), nn.BatchNorm3d(6), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool3d(1), nn.Flatten(), nn.Linear(6, CLASSES))


class Skips(nn.Module):
    """Two convolutions and two norms, connected by subclasses."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.n1, self.n2 = nn.BatchNorm2d(8), nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.fc(self.body(x).mean((2, 3)))


@kind("pictures")
class PreActivation(Skips):
    """The first output feeds the norm and the residual connection."""

    def body(self, x):
        h = self.c1(x)
        return F.relu(self.n2(h + self.c2(F.relu(self.n1(h)))))


@kind("pictures")
class SkipBeforeNorm(Skips):
    def body(self, x):
        h = self.c1(x)
        return F.relu(self.n2(self.c2(F.relu(self.n1(h))))) + h


@kind("pictures")
class NormTwice(Skips):
    """One norm after two layers."""

    def body(self, x):
        return F.relu(self.n1(self.c2(F.relu(self.n1(self.c1(x))))))


@kind("pictures")
class LayerTwice(Skips):
    """One layer before two norms."""

    def __init__(self):
        super().__init__()
        self.c3 = nn.Conv2d(8, 8, 3, padding=1)
        del self.c2

    def body(self, x):
        h = F.relu(self.c1(x))
        return F.relu(self.n2(self.c3(F.relu(self.n1(self.c3(h))))))


@kind("pictures")
class NormAfterActivation(Skips):
    """An operation between layer and norm prevents folding."""

    def body(self, x):
        return self.n2(F.relu(self.c2(self.n1(F.relu(self.c1(x))))))


@kind("pictures")
class NormAfterPadding(Skips):
    """Zero padding between norm and convolution prevents folding forward."""

    def body(self, x):
        return F.relu(self.c2(F.pad(self.n1(F.pad(self.c1(x), (1, 1, 1, 1))), (1, 1, 1, 1))))


@kind("pictures")
class BranchesBeforeNorm(Skips):
    """A gate reads the convolution's output before the norm."""

    def body(self, x):
        h = self.c1(x)
        return self.n2(self.c2(F.relu(self.n1(h)))) * torch.sigmoid(h.mean((2, 3), keepdim=True))


@kind("pictures")
class NormByFunction(Skips):
    """`F.batch_norm` on the tensors of the norm."""

    def body(self, x):
        n = self.n1
        h = F.batch_norm(self.c1(x), n.running_mean, n.running_var, n.weight, n.bias)
        return F.relu(self.n2(self.c2(F.relu(h))))


@kind("pictures")
class DenseBlock(nn.Module):
    """Each norm reads the concatenation of all previous outputs, as in DenseNet."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(6 + 4 * at) for at in range(3))
        self.convs = nn.ModuleList(nn.Conv2d(6 + 4 * at, 4, 3, padding=1) for at in range(2))
        self.fc = nn.Linear(14, CLASSES)

    def forward(self, x):
        x = self.first(x)
        for norm, conv in zip(self.norms, self.convs, strict=False):
            x = torch.cat([x, conv(F.relu(norm(x)))], 1)
        return self.fc(F.relu(self.norms[-1](x)).mean((2, 3)))
