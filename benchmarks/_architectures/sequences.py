"""Networks for text, sound and other sequences."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from _architectures.architecture import Architecture, Inputs, floats, tokens
from _architectures.blocks import MeanOf, Residual

WORDS, WIDTH = 1000, 96


class Recurrent(nn.Module):
    """A recurrent classifier on the last step."""

    def __init__(self, recurrent: nn.RNNBase, outputs: int) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH, padding_idx=0)
        self.recurrent = recurrent
        self.classes = nn.Linear(outputs, 10)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, classes]."""
        steps, _last = self.recurrent(self.words(inputs))
        classes: Tensor = self.classes(steps[:, -1])
        return classes


class TiedLanguageModel(nn.Module):
    """A language model with tied embeddings (arXiv 1608.05859)."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.recurrent = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        self.next = nn.Linear(WIDTH, WORDS)
        self.next.weight = self.words.weight

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, steps, words]."""
        nexts: Tensor = self.next(self.recurrent(self.words(inputs))[0])
        return nexts


class Translator(nn.Module):
    """Encoder and decoder with attention (Bahdanau et al. 2014, arXiv 1409.0473)."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.encoder = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.decoder = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.match = nn.Linear(2 * WIDTH, WIDTH)
        self.vote = nn.Parameter(torch.zeros(WIDTH))
        self.next = nn.Linear(2 * WIDTH, WORDS)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return [n, steps of the target, words]."""
        memory, last = self.encoder(self.words(source))
        hidden, _last = self.decoder(self.words(target), last)
        n, steps, width = hidden.shape
        pairs = torch.cat(
            [
                hidden.unsqueeze(2).expand(n, steps, memory.shape[1], width),
                memory.unsqueeze(1).expand(n, steps, memory.shape[1], width),
            ],
            dim=-1,
        )
        looks = (torch.tanh(self.match(pairs)) @ self.vote).softmax(dim=-1)
        nexts: Tensor = self.next(torch.cat([hidden, looks @ memory], dim=-1))
        return nexts


def two_rows(rng: torch.Generator) -> Inputs:
    """Return words of a source and of a target."""
    return tokens(12)(rng) + tokens(8)(rng)


class Encoder(nn.Module):
    """PyTorch's transformer encoder with positions and a padding mask."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH, padding_idx=0)
        self.positions = nn.Parameter(torch.zeros(16, WIDTH))
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.classes = nn.Linear(WIDTH, 10)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, classes]."""
        hidden = self.encoder(
            self.words(inputs) + self.positions[: inputs.shape[1]], src_key_padding_mask=inputs == 0
        )
        classes: Tensor = self.classes(hidden.mean(dim=1))
        return classes


class EncoderDecoder(nn.Module):
    """PyTorch's transformer (Vaswani et al. 2017, arXiv 1706.03762), with a causal mask."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.body = nn.Transformer(WIDTH, 4, 2, 2, 4 * WIDTH, batch_first=True)
        self.register_buffer("later", torch.ones(8, 8, dtype=torch.bool).triu(1))
        self.later: Tensor
        self.next = nn.Linear(WIDTH, WORDS)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return [n, steps of the target, words]."""
        hidden = self.body(self.words(source), self.words(target), tgt_mask=self.later)
        nexts: Tensor = self.next(hidden)
        return nexts


class Causal(nn.Module):
    """A causal convolution with weight normalization."""

    def __init__(self, inputs: int, outputs: int, spread: int) -> None:
        super().__init__()
        self.before = 2 * spread
        self.convolution = weight_norm(nn.Conv1d(inputs, outputs, 3, dilation=spread))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, outputs, steps]."""
        padded = nn.functional.pad(inputs, (self.before, 0))
        hidden: Tensor = self.convolution(padded)
        return hidden


def tcn() -> nn.Module:
    """Causal convolutions with growing dilation (Bai et al. 2018, arXiv 1803.01271)."""
    blocks = [
        Residual(nn.Sequential(Causal(64, 64, 2**n), nn.ReLU(), Causal(64, 64, 2**n), nn.ReLU()))
        for n in range(4)
    ]
    return nn.Sequential(nn.Conv1d(8, 64, 1), *blocks, MeanOf(-1), nn.Linear(64, 10))


class WaveNet(nn.Module):
    """Gated causal convolutions with summed skip connections (arXiv 1609.03499)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 64, 1)
        self.filters = nn.ModuleList(Causal(64, 128, 2**n) for n in range(4))
        self.parts = nn.ModuleList(nn.Conv1d(64, 128, 1) for _ in range(4))
        self.last = nn.Conv1d(64, 256, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the levels of the next sample, [n, 256, steps]."""
        state, total = self.first(inputs), torch.zeros(())
        for causal, part in zip(self.filters, self.parts, strict=True):
            signal, gate = causal(state).chunk(2, dim=1)
            passed, skip = part(signal.tanh() * gate.sigmoid()).chunk(2, dim=1)
            state, total = state + passed, total + skip
        levels: Tensor = self.last(total.relu())
        return levels


def m5() -> nn.Module:
    """Convolutions over raw sound (Dai et al. 2016, arXiv 1610.00087)."""
    layers: list[nn.Module] = []
    for inputs, outputs, size, stride in ((1, 64, 80, 4), (64, 64, 3, 1), (64, 128, 3, 1)):
        layers += [nn.Conv1d(inputs, outputs, size, stride), nn.BatchNorm1d(outputs)]
        layers += [nn.ReLU(), nn.MaxPool1d(4)]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool1d(4), nn.Flatten(), nn.Linear(512, 128), nn.Linear(128, 10)
    )


def vocoder() -> nn.Module:
    """Upsampling from few steps to many (Kong et al. 2020, arXiv 2010.05646)."""
    return nn.Sequential(
        nn.Conv1d(40, 128, 7, 1, 3),
        nn.LeakyReLU(),
        nn.ConvTranspose1d(128, 64, 8, 4, 2),
        nn.LeakyReLU(),
        nn.ConvTranspose1d(64, 32, 8, 4, 2),
        nn.LeakyReLU(),
        nn.Conv1d(32, 1, 7, 1, 3),
        nn.Tanh(),
    )


class TextCnn(nn.Module):
    """Max pooling over filters of several lengths (Kim 2014, arXiv 1408.5882)."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.filters = nn.ModuleList(nn.Conv1d(WIDTH, 64, size) for size in (3, 4, 5))
        self.classes = nn.Linear(192, 10)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [n, classes]."""
        words = self.words(inputs).transpose(1, 2)
        pooled = [conv(words).relu().amax(dim=-1) for conv in self.filters]
        classes: Tensor = self.classes(torch.cat(pooled, dim=1))
        return classes


def fast_text() -> nn.Module:
    """Return a linear layer on the mean of the words (Joulin et al. 2016, arXiv 1607.01759)."""
    return nn.Sequential(nn.EmbeddingBag(WORDS, WIDTH, mode="mean"), nn.Linear(WIDTH, 10))


def critic() -> nn.Module:
    """Layers with spectral normalization, whose vectors are buffers (arXiv 1802.05957)."""
    return nn.Sequential(
        spectral_norm(nn.Linear(128, 256)),
        nn.LeakyReLU(),
        spectral_norm(nn.Linear(256, 256)),
        nn.LeakyReLU(),
        nn.Linear(256, 1),
    )


def lstm(**settings: int | bool) -> nn.LSTM:
    """Return an LSTM over words."""
    return nn.LSTM(WIDTH, WIDTH, batch_first=True, **settings)  # type: ignore[arg-type]


ARCHITECTURES = [
    Architecture(family, name, build, draw)
    for family, name, build, draw in (
        (
            "Recurrent",
            "elman",
            lambda: Recurrent(nn.RNN(WIDTH, WIDTH, batch_first=True), WIDTH),
            tokens(),
        ),
        ("Recurrent", "lstm", lambda: Recurrent(lstm(num_layers=2), WIDTH), tokens()),
        (
            "Recurrent",
            "lstm, both ways",
            lambda: Recurrent(lstm(bidirectional=True), 2 * WIDTH),
            tokens(),
        ),
        ("Recurrent", "lstm, projected", lambda: Recurrent(lstm(proj_size=48), 48), tokens()),
        ("Recurrent", "lstm, tied words", TiedLanguageModel, tokens()),
        (
            "Recurrent",
            "gru",
            lambda: Recurrent(nn.GRU(WIDTH, WIDTH, batch_first=True), WIDTH),
            tokens(),
        ),
        ("Recurrent", "gru, attention", Translator, two_rows),
        ("PyTorch's transformer", "encoder", Encoder, tokens()),
        ("PyTorch's transformer", "encoder and decoder", EncoderDecoder, two_rows),
        ("Convolutions in 1-D", "tcn, weight norm", tcn, floats(2, 8, 64)),
        ("Convolutions in 1-D", "wavenet, weight norm", WaveNet, floats(2, 1, 64)),
        ("Convolutions in 1-D", "m5", m5, floats(2, 1, 2000)),
        ("Convolutions in 1-D", "vocoder", vocoder, floats(2, 40, 16)),
        ("Convolutions in 1-D", "text cnn", TextCnn, tokens()),
        ("Layers alone", "fasttext", fast_text, tokens()),
        ("Layers alone", "spectral norm", critic, floats(2, 128)),
    )
]
