"""Datasets that several tests use."""

from __future__ import annotations

import torch
from torch.utils.data import Dataset


class Pairs(Dataset):
    def __init__(self, inputs, labels):
        self.inputs, self.labels = inputs, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, number):
        return self.inputs[number], int(self.labels[number])


def sequences():
    generator = torch.Generator().manual_seed(1)
    symbols = torch.randint(0, 11, (240, 9), generator=generator)
    labels = (symbols * 2 + 1) % 11
    labels[::3, -2:] = -100
    return symbols, labels
