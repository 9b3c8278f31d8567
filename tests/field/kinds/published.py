"""Small versions of networks as their authors published them."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from tests.field.data import CLASSES, WORDS
from tests.field.kind import kind
from tests.field.kinds.parameters import perceptron


class BasicBlock(nn.Module):
    """The block of the CIFAR networks in He et al. 2016, with a zero-padded shortcut."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        self.pad = (outputs - inputs) // 2
        self.stride = stride

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride != 1:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad), "constant", 0)
        return F.relu(out + x)


@kind("pictures")
class ResNet20(nn.Module):
    """Twenty layers for CIFAR, four channels wide."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(*(BasicBlock(4, 4) for _ in range(3)))
        self.layer2 = nn.Sequential(BasicBlock(4, 8, 2), *(BasicBlock(8, 8) for _ in range(2)))
        self.layer3 = nn.Sequential(BasicBlock(8, 16, 2), *(BasicBlock(16, 16) for _ in range(2)))
        self.linear = nn.Linear(16, CLASSES)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        x = F.avg_pool2d(x, x.size()[3])
        return self.linear(x.view(x.size(0), -1))


@kind("pictures")
class LeNet(nn.Module):
    """LeNet (LeCun et al. 1998), as in tutorials."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 8, 2)
        self.fc1, self.fc2, self.fc3 = nn.Linear(8, 12), nn.Linear(12, 10), nn.Linear(10, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class InvertedResidual(nn.Module):
    """The block of MobileNetV2 (Sandler et al. 2018)."""

    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        hidden = inputs * expand
        self.use_res_connect = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x):
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


@kind("pictures")
def mobilenet_v2():
    """Return a short MobileNetV2."""
    stem = [nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU6(inplace=True)]
    blocks = [InvertedResidual(4, 4, 1, 2), InvertedResidual(4, 6, 2, 2)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(6, CLASSES)]
    return nn.Sequential(*stem, *blocks, *head)


class ConvNeXtBlock(nn.Module):
    """The block of ConvNeXt (Liu et al. 2022): depthwise, channels last, a scale per channel."""

    def __init__(self, width):
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.gamma = nn.Parameter(0.5 * torch.ones(width))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(F.gelu(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


@kind("pictures")
def convnext():
    """Return a short ConvNeXt."""
    blocks = [ConvNeXtBlock(6), ConvNeXtBlock(6)]
    return nn.Sequential(
        nn.Conv2d(3, 6, 2, 2), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, CLASSES)
    )


class Chomp(nn.Module):
    """Remove the padding on the right."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, x):
        return x[:, :, : -self.size].contiguous()


class TemporalBlock(nn.Module):
    """The block of the TCN (Bai et al. 2018)."""

    def __init__(self, inputs, outputs, dilation):
        super().__init__()
        norm = nn.utils.parametrizations.weight_norm
        self.conv1 = norm(nn.Conv1d(inputs, outputs, 2, padding=dilation, dilation=dilation))
        self.conv2 = norm(nn.Conv1d(outputs, outputs, 2, padding=dilation, dilation=dilation))
        self.net = nn.Sequential(
            self.conv1, Chomp(dilation), nn.ReLU(), nn.Dropout(0.2),
            self.conv2, Chomp(dilation), nn.ReLU(), nn.Dropout(0.2),
        )  # fmt: skip
        self.downsample = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x):
        rest = x if self.downsample is None else self.downsample(x)
        return F.relu(self.net(x) + rest)


@kind("signals")
class TCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(TemporalBlock(2, 6, 1), TemporalBlock(6, 6, 2))
        self.linear = nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.linear(self.network(x)[:, :, -1])


class CausalSelfAttention(nn.Module):
    """Causal attention as in minGPT."""

    def __init__(self):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.resid_dropout = nn.Dropout(0.1)
        self.register_buffer("bias", torch.tril(torch.ones(12, 12)).view(1, 1, 12, 12))

    def forward(self, x):
        b, t, c = x.size()
        q, k, v = self.c_attn(x).split(c, dim=2)
        q, k, v = (one.view(b, t, 2, c // 2).transpose(1, 2) for one in (q, k, v))
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.bias[:, :, :t, :t] == 0, float("-inf"))
        y = (F.softmax(att, dim=-1) @ v).transpose(1, 2).contiguous().view(b, t, c)
        return self.resid_dropout(self.c_proj(y))


@kind("next words")
class MinGPT(nn.Module):
    """minGPT by Karpathy: returns logits and a loss of None."""

    def __init__(self):
        super().__init__()
        self.transformer = nn.ModuleDict(
            {"wte": nn.Embedding(WORDS, 8), "wpe": nn.Embedding(12, 8), "ln_1": nn.LayerNorm(8),
             "attn": CausalSelfAttention(), "ln_2": nn.LayerNorm(8), "mlp": perceptron(8, 16, 8),
             "ln_f": nn.LayerNorm(8)}
        )  # fmt: skip
        self.lm_head = nn.Linear(8, WORDS, bias=False)

    def forward(self, idx, targets=None):
        t = self.transformer
        x = t.wte(idx) + t.wpe(torch.arange(0, idx.size(1), dtype=torch.long).unsqueeze(0))
        x = x + t.attn(t.ln_1(x))
        x = x + t.mlp(t.ln_2(x))
        return self.lm_head(t.ln_f(x)), None


@kind("next words")
class WordLanguageModel(nn.Module):
    """The transformer of PyTorch's example: positions first, saved sinusoids, log probabilities."""

    def __init__(self):
        super().__init__()
        self.input_emb = nn.Embedding(WORDS, 8)
        angles = torch.arange(300)[:, None] * torch.exp(
            torch.arange(0, 8, 2) * (-math.log(1e4) / 8)
        )
        table = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
        self.register_buffer("pe", table.unsqueeze(1))
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.2), 2)
        self.decoder = nn.Linear(8, WORDS)

    def forward(self, ids):
        src = ids.t()
        mask = torch.log(torch.tril(torch.ones(len(src), len(src))))
        x = self.input_emb(src) * math.sqrt(8) + self.pe[: len(src)]
        return F.log_softmax(self.decoder(self.encoder(x, mask=mask)), dim=-1).transpose(0, 1)


@kind("pictures")
class VisionTransformer(nn.Module):
    """A vision transformer (Dosovitskiy et al. 2021) over four patches."""

    def __init__(self):
        super().__init__()
        self.conv_proj = nn.Conv2d(3, 8, 4, 4)
        self.class_token = nn.Parameter(torch.randn(1, 1, 8))
        self.pos_embedding = nn.Parameter(torch.randn(1, 5, 8) * 0.2)
        self.ln_1, self.ln_2, self.ln = (nn.LayerNorm(8, eps=1e-6) for _ in range(3))
        self.self_attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp, self.head = perceptron(8, 16, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], 1) + self.pos_embedding
        h = self.ln_1(x)
        x = x + self.self_attention(h, h, h, need_weights=False)[0]
        return self.head(self.ln(x + self.mlp(self.ln_2(x)))[:, 0])


@kind("pictures")
class PNet(nn.Module):
    """The first network of MTCNN (Zhang et al. 2016): PReLU, and a second output."""

    def __init__(self):
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 6, 3), nn.PReLU(6)
        self.conv2, self.prelu2 = nn.Conv2d(6, 8, 3), nn.PReLU(8)
        self.dense, self.dense2 = nn.Linear(32, CLASSES), nn.Linear(32, 4)

    def forward(self, x):
        x = F.max_pool2d(self.prelu1(self.conv1(x)), 2, ceil_mode=True)
        x = self.prelu2(self.conv2(F.pad(x, (1, 0, 1, 0))))
        x = x.permute(0, 3, 2, 1).contiguous().view(x.shape[0], -1)[:, :32]
        return self.dense(x), self.dense2(x)
