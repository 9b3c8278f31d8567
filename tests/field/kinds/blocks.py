"""Blocks of well-known architectures, as in their papers."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES, WORDS
from tests.field.kind import kind
from tests.field.kinds.parameters import perceptron


@kind("pictures")
class SqueezeExcite(nn.Module):
    """Hu et al. 2018 (squeeze-and-excitation): channels are scaled by their means."""

    def __init__(self):
        super().__init__()
        self.c, self.b = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        self.down, self.up, self.fc = nn.Linear(8, 2), nn.Linear(2, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = F.relu(self.b(self.c(x)))
        gate = torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3))))))
        return self.fc((x * gate[:, :, None, None]).mean((2, 3)))


@kind("pictures")
class Inception(nn.Module):
    """Szegedy et al. 2015 (Inception): parallel branches."""

    def __init__(self):
        super().__init__()
        self.a, self.b = (
            nn.Conv2d(3, 4, 1),
            nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 5, 3, padding=1)),
        )
        self.c, self.n = (
            nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 3, 1)),
            nn.BatchNorm2d(12),
        )
        self.fc = nn.Linear(12, CLASSES)

    def forward(self, x):
        x = self.n(torch.cat([self.a(x), self.b(x), self.c(x)], 1))
        return self.fc(F.relu(x).mean((2, 3)))


@kind("same image")
class UNet(nn.Module):
    """Ronneberger et al. 2015 (U-Net): skip connections between resolutions."""

    def __init__(self):
        super().__init__()
        self.d1, self.d2 = self.double(1, 4), self.double(4, 8)
        self.up, self.u1 = nn.ConvTranspose2d(8, 4, 2, stride=2), self.double(8, 4)
        self.out = nn.Conv2d(4, 1, 1)

    @staticmethod
    def double(inputs, outputs):
        layers = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
        return nn.Sequential(*layers, nn.ReLU(inplace=True))

    def forward(self, x):
        high = self.d1(x)
        low = self.up(self.d2(F.max_pool2d(high, 2)))
        return self.out(self.u1(torch.cat([high, low], 1)))


@kind("sequences")
class Mixer(nn.Module):
    """Tolstikhin et al. 2021 (MLP-Mixer): alternating layers over positions and features."""

    def __init__(self):
        super().__init__()
        self.n1, self.places = nn.LayerNorm(8), perceptron(6, 10, 6)
        self.n2, self.features = nn.LayerNorm(8), perceptron(8, 12, 8)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        x = x + self.places(self.n1(x).transpose(1, 2)).transpose(1, 2)
        return self.fc((x + self.features(self.n2(x))).mean(1))


@kind("pictures")
class ChannelShuffle(nn.Module):
    """Zhang et al. 2018 (ShuffleNet): groups exchange channels."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1, groups=2)
        self.c3, self.fc = nn.Conv2d(8, 8, 3, groups=8), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = F.relu(self.c2(F.relu(self.c1(x))))
        x = x.view(len(x), 2, 4, 8, 8).transpose(1, 2).reshape(len(x), 8, 8, 8)
        return self.fc(F.relu(self.c3(x)).mean((2, 3)))


@kind("pictures")
class Splits(nn.Module):
    """Half of the channels bypass the block, as in ShuffleNet V2 and CSP networks."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 8, 3), nn.Conv2d(4, 4, 3, padding=1)
        self.n, self.fc = nn.BatchNorm2d(4), nn.Linear(8, CLASSES)

    def forward(self, x):
        stay, go = F.relu(self.c1(x)).chunk(2, 1)
        return self.fc(torch.cat([stay, F.relu(self.n(self.c2(go)))], 1).mean((2, 3)))


@kind("points")
class Gated(nn.Module):
    """One half of a layer's outputs gates the other."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.head = nn.Linear(8, 12), nn.Linear(6, 8), nn.Linear(4, CLASSES)

    def forward(self, x):
        return self.head(F.glu(self.two(F.glu(self.one(x)))))


@kind("points")
class Maxout(nn.Module):
    """Goodfellow et al. 2013 (maxout): the largest of several outputs."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 12), nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.two(self.one(x).view(-1, 6, 2).amax(-1))


class Conv1D(nn.Module):
    """The linear layer of GPT-2, with a weight of shape [inputs, outputs]."""

    def __init__(self, outputs, inputs):
        super().__init__()
        self.nf = outputs
        self.weight = nn.Parameter(torch.randn(inputs, outputs) * 0.3)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        shape = (*x.size()[:-1], self.nf)
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(shape)


@kind("next words")
class GPT2(nn.Module):
    """A block of GPT-2 with a tied head."""

    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(WORDS, 8), nn.Embedding(10, 8)
        self.ln1, self.ln2, self.lnf = (nn.LayerNorm(8) for _ in range(3))
        self.attn, self.proj = Conv1D(24, 8), Conv1D(8, 8)
        self.fc, self.out = Conv1D(16, 8), Conv1D(8, 16)
        self.head = nn.Linear(8, WORDS, bias=False)
        self.head.weight = self.wte.weight
        self.register_buffer(
            "bias", torch.tril(torch.ones(10, 10, dtype=torch.bool)), persistent=False
        )

    def forward(self, ids):
        b, t = ids.shape
        x = self.wte(ids) + self.wpe(torch.arange(t))
        q, k, v = (
            one.view(b, t, 2, 4).transpose(1, 2) for one in self.attn(self.ln1(x)).split(8, 2)
        )
        scores = torch.where(
            self.bias[:t, :t], q @ k.transpose(-1, -2) / 2, torch.finfo(q.dtype).min
        )
        x = x + self.proj((scores.softmax(-1) @ v).transpose(1, 2).contiguous().view(b, t, 8))
        x = x + self.out(F.gelu(self.fc(self.ln2(x)), approximate="tanh"))
        return self.head(self.lnf(x))


@kind("points")
class HardExperts(nn.Module):
    """Each example is routed to one expert; an expert may get no examples."""

    def __init__(self):
        super().__init__()
        self.router = nn.Linear(8, 4)
        self.experts = nn.ModuleList(perceptron(8, 6, CLASSES) for _ in range(4))

    def forward(self, x):
        weights, chosen = self.router(x).softmax(1).max(1)
        out = x.new_zeros(len(x), CLASSES)
        for number, expert in enumerate(self.experts):
            rows = (chosen == number).nonzero().squeeze(1)
            if len(rows):
                out[rows] = expert(x[rows]) * weights[rows, None]
        return out


@kind("sequences")
class StackedExperts(nn.Module):
    """The top two of several experts for each position, with their weights in one parameter."""

    def __init__(self):
        super().__init__()
        self.router, self.head = nn.Linear(8, 3, bias=False), nn.Linear(8, CLASSES)
        self.up, self.down = (nn.Parameter(torch.randn(3, 8, 8) / 3) for _ in range(2))

    def forward(self, x):
        gates, chosen = self.router(x).topk(2, -1)
        gates = torch.zeros(*x.shape[:2], 3).scatter(-1, chosen, gates.softmax(-1).float())
        y = torch.einsum("btd,edh->bteh", x, self.up).relu()
        return self.head(x + torch.einsum("bteh,ehd,bte->btd", y, self.down, gates)).mean(1)


@kind("points")
class EarlyExit(nn.Module):
    """Early exit: examples for which a first head is confident skip the rest."""

    def __init__(self):
        super().__init__()
        self.one, self.early = nn.Linear(8, 8), nn.Linear(8, CLASSES)
        self.two, self.late = nn.Linear(8, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        h = F.relu(self.one(x))
        first = self.early(h)
        sure = first.softmax(1).amax(1, keepdim=True) > 0.6
        return torch.where(sure, first, self.late(F.relu(self.two(h))))


@kind("points")
class HyperNetwork(nn.Module):
    """A hypernetwork: one layer computes the weights of another."""

    def __init__(self):
        super().__init__()
        self.maker, self.code = nn.Linear(4, 8 * CLASSES), nn.Parameter(torch.randn(1, 4))
        self.one = nn.Linear(8, 8)

    def forward(self, x):
        weight = self.maker(self.code).view(CLASSES, 8)
        return F.linear(torch.tanh(self.one(x)), weight)


@kind("points")
class Fourier(nn.Module):
    """A real parameter is multiplied with a spectrum."""

    def __init__(self):
        super().__init__()
        self.gains, self.fc = nn.Parameter(torch.randn(1, 5, 2)), nn.Linear(8, CLASSES)

    def forward(self, x):
        spectrum = torch.fft.rfft(x) * torch.view_as_complex(self.gains)
        return self.fc(torch.fft.irfft(spectrum, n=8))


@kind("points")
class FixedPoint(nn.Module):
    """A layer is repeated until its output converges for every example of the batch."""

    def __init__(self):
        super().__init__()
        self.into, self.again, self.head = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        x, h = self.into(x), torch.zeros(len(x), 8)
        for _ in range(12):
            h = torch.tanh(x + 0.2 * self.again(h))
        return self.head(h)
