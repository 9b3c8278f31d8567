"""Recurrent networks: initial states, packed, projected, bidirectional."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.field.data import CLASSES, WORDS
from tests.field.kind import kind


class Recurrent(nn.Module):
    """A recurrent layer over six positions, and a classification head on the last one."""

    def __init__(self, layer, width):
        super().__init__()
        self.layer, self.head = layer, nn.Linear(width, CLASSES)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


@kind("sequences")
def elman():
    """Return a bidirectional Elman network."""
    return Recurrent(nn.RNN(8, 6, bidirectional=True, batch_first=True), 12)


@kind("sequences")
def gru():
    """Return a GRU of two layers."""
    return Recurrent(nn.GRU(8, 6, num_layers=2, dropout=0.5, batch_first=True), 6)


@kind("sequences")
def lstm_projected():
    """Return an LSTM whose states are projected."""
    return Recurrent(nn.LSTM(8, 10, proj_size=4, batch_first=True), 4)


@kind("sequences")
class FirstState(nn.Module):
    """Forward creates the initial states."""

    def __init__(self):
        super().__init__()
        self.g, self.l = nn.GRU(8, 6, batch_first=True), nn.LSTM(6, 6, batch_first=True)
        self.o = nn.Linear(6, CLASSES)

    def forward(self, x):
        x = self.g(x, torch.zeros(1, x.shape[0], 6))[0]
        state = torch.zeros(1, x.size(0), 6), torch.ones(1, x.size(0), 6)
        return self.o(self.l(x, state)[0][:, -1])


@kind("sequences")
class TimeFirst(nn.Module):
    """Positions come first inside, examples second."""

    def __init__(self):
        super().__init__()
        self.g, self.o = nn.GRU(8, 6), nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.o(self.g(x.transpose(0, 1))[1][-1])


@kind("words")
class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(WORDS, 8, padding_idx=0)
        self.rnn = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, CLASSES)

    def forward(self, ids):
        lengths = (ids != 0).sum(1)
        packed = pack_padded_sequence(
            self.embed(ids), lengths, batch_first=True, enforce_sorted=False
        )
        outputs, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=7)
        return self.head(outputs.sum(1) / lengths[:, None])


@kind("sequences")
class Cells(nn.Module):
    """A loop over a cell."""

    def __init__(self):
        super().__init__()
        self.cell, self.gate = nn.GRUCell(8, 6), nn.LSTMCell(6, 5)
        self.head = nn.Linear(5, CLASSES)

    def forward(self, x):
        h = x.new_zeros(len(x), 6)
        c = torch.zeros(len(x), 5), torch.zeros(len(x), 5)
        for place in x.unbind(1):
            h = self.cell(place, h)
            c = self.gate(h, c)
        return self.head(c[0])


@kind("sequences")
class LearnedState(nn.Module):
    """The initial state is a parameter."""

    def __init__(self):
        super().__init__()
        self.h0 = nn.Parameter(torch.randn(1, 1, 6))
        self.g, self.o = nn.GRU(8, 6, batch_first=True), nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.o(self.g(x, self.h0.expand(-1, len(x), -1).contiguous())[0].mean(1))


@kind("pictures")
class ConvolutionsThenRows(nn.Module):
    """The outputs of a convolution are read column by column, as in text recognition."""

    def __init__(self):
        super().__init__()
        self.c, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.rnn = nn.LSTM(32, 6, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, CLASSES)

    def forward(self, x):
        x = torch.relu(self.b(self.c(x))).permute(0, 3, 1, 2).flatten(2)
        return self.head(self.rnn(x)[0].mean(1))
