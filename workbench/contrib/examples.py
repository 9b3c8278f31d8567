"""Worked examples beyond classification: a date translator and a detector of squares.

Both train in seconds, on random data from a seed.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

SYMBOLS = " ,-0123456789abcdefghijklmnopqrstuvwxyz^"
"""The translator's alphabet; ^ starts a translation."""
LONGEST, ISO = 18, 10
FIRST_DAY, DAYS = dt.date(1950, 1, 1), 27_000
SIDE, SQUARE = 12, 4


class Translator(nn.Module):
    """Translates written dates to ISO 8601, one character at a time.

    An encoder reads the date. A decoder predicts each character of the translation from the
    previous ones.
    """

    def __init__(self, channels: int = 48) -> None:
        super().__init__()
        self.symbols = nn.Embedding(len(SYMBOLS), channels)
        self.places = nn.Embedding(LONGEST, channels)
        self.transformer = nn.Transformer(
            channels, 4, 1, 1, 2 * channels, dropout=0.0, batch_first=True
        )
        self.output = nn.Linear(channels, len(SYMBOLS))

    def forward(self, source: Tensor, before: Tensor) -> Tensor:
        """Map dates [b, LONGEST] and previous characters [b, t] to logits [b, t, symbols]."""
        t = before.shape[1]
        causal = torch.ones(t, t, dtype=torch.bool).triu(1)
        x, y = self._embedded(source), self._embedded(before)
        logits: Tensor = self.output(self.transformer(x, y, tgt_mask=causal))
        return logits

    def _embedded(self, symbols: Tensor) -> Tensor:
        embedded: Tensor = self.symbols(symbols) + self.places.weight[: symbols.shape[1]]
        return embedded


def dates(examples: int, seed: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return ((dates, previous characters), translations) of random dates.

    All are int64, [n, LONGEST], [n, ISO] and [n, ISO].
    """
    generator = torch.Generator().manual_seed(seed)
    source, before, after = [], [], []
    for days, style in torch.randint(0, 10**6, (examples, 2), generator=generator).tolist():
        day = FIRST_DAY + dt.timedelta(days % DAYS)
        text = day.strftime(("%d %B %Y", "%B %d, %Y", "%d-%m-%Y")[style % 3]).lower()
        iso = day.isoformat()
        source.append(_encoded(text.ljust(LONGEST)))
        before.append(_encoded("^" + iso[:-1]))
        after.append(_encoded(iso))
    return (torch.tensor(source), torch.tensor(before)), torch.tensor(after)


def _encoded(text: str) -> list[int]:
    return [SYMBOLS.index(symbol) for symbol in text]


class Finder(nn.Module):
    """Finds the bright square of an image.

    In training mode it returns the corners [b, 4]; in eval mode, like other detectors, a dict of
    boxes, scores and labels for each image.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(8 * SIDE * SIDE, 64),
            nn.ReLU(),
            nn.Linear(64, 4),
        )

    def forward(self, images: Tensor) -> Any:
        """Detect the squares of images [b, 1, SIDE, SIDE]."""
        corners = self.layers(images)
        if self.training:
            return corners
        score, label = torch.ones(1), torch.zeros(1, dtype=torch.int64)
        return [{"boxes": box.view(1, 4), "scores": score, "labels": label} for box in corners]


class Squares(Dataset[tuple[Tensor, dict[str, Tensor]]]):
    """Noisy images with one bright square each, and its corners."""

    def __init__(self, examples: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        corners = torch.randint(0, SIDE - SQUARE + 1, (examples, 2), generator=generator)
        self.images = torch.rand(examples, 1, SIDE, SIDE, generator=generator) * 0.3
        self.boxes = torch.cat([corners, corners + SQUARE], dim=1).float()
        for image, (x, y) in zip(self.images, corners.tolist(), strict=True):
            image[0, y : y + SQUARE, x : x + SQUARE] = 1

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> tuple[Tensor, dict[str, Tensor]]:
        labels = torch.zeros(1, dtype=torch.int64)
        return self.images[number], {"boxes": self.boxes[number].view(1, 4), "labels": labels}


def squares(examples: int, seed: int) -> DataLoader[Any]:
    """Return a loader of images with squares, in batches of 32."""
    return DataLoader(Squares(examples, seed), batch_size=32, collate_fn=_collate)


def _collate(items: list[Any]) -> tuple[Tensor, list[dict[str, Tensor]]]:
    return torch.stack([image for image, _target in items]), [target for _image, target in items]


def box_loss(corners: Tensor, targets: list[dict[str, Tensor]]) -> Tensor:
    """Return the smooth L1 loss of the corners, a scalar."""
    return nn.functional.smooth_l1_loss(corners, torch.cat([image["boxes"] for image in targets]))
