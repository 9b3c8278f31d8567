"""Worked examples of models that are no classifiers: a translator of dates, a finder of squares.

Both are small enough to be trained while one watches, on data that is drawn with a seed.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

SYMBOLS = " ,-0123456789abcdefghijklmnopqrstuvwxyz^"
"""The translator's alphabet; ^ begins a translation."""
LONGEST, ISO = 18, 10
FIRST_DAY, DAYS = dt.date(1950, 1, 1), 27_000
SIDE, SQUARE = 12, 4


class Translator(nn.Module):
    """Turns dates as people write them into ISO 8601, one character after the other.

    An encoder reads the date, a decoder predicts each next character of the translation from those
    before it.
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
        """Turn [b, LONGEST] and what is translated so far [b, t] into logits [b, t, symbols]."""
        t = before.shape[1]
        later = torch.ones(t, t, dtype=torch.bool).triu(1)
        read = self._seen(source)
        logits: Tensor = self.output(self.transformer(read, self._seen(before), tgt_mask=later))
        return logits

    def _seen(self, symbols: Tensor) -> Tensor:
        seen: Tensor = self.symbols(symbols) + self.places.weight[: symbols.shape[1]]
        return seen


def dates(examples: int, seed: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return some dates, what comes before each place of their translations, and these.

    All int64, [n, LONGEST], [n, ISO] and [n, ISO].
    """
    generator = torch.Generator().manual_seed(seed)
    source, before, after = [], [], []
    for days, form in torch.randint(0, 10**6, (examples, 2), generator=generator).tolist():
        day = FIRST_DAY + dt.timedelta(days % DAYS)
        text = day.strftime(("%d %B %Y", "%B %d, %Y", "%d-%m-%Y")[form % 3]).lower()
        iso = day.isoformat()
        source.append(_encoded(text.ljust(LONGEST)))
        before.append(_encoded("^" + iso[:-1]))
        after.append(_encoded(iso))
    return (torch.tensor(source), torch.tensor(before)), torch.tensor(after)


def _encoded(text: str) -> list[int]:
    return [SYMBOLS.index(symbol) for symbol in text]


class Finder(nn.Module):
    """Finds the bright square of a picture.

    In training it returns the corners [b, 4]; in eval mode, as detectors do, a dict of boxes,
    scores and labels for each picture.
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

    def forward(self, pictures: Tensor) -> Any:
        """Look at pictures [b, 1, SIDE, SIDE]."""
        corners = self.layers(pictures)
        if self.training:
            return corners
        score, label = torch.ones(1), torch.zeros(1, dtype=torch.int64)
        return [{"boxes": one.view(1, 4), "scores": score, "labels": label} for one in corners]


class Squares(Dataset[tuple[Tensor, dict[str, Tensor]]]):
    """Noisy pictures with one bright square each, and its corners."""

    def __init__(self, examples: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        corners = torch.randint(0, SIDE - SQUARE + 1, (examples, 2), generator=generator)
        self.pictures = torch.rand(examples, 1, SIDE, SIDE, generator=generator) * 0.3
        self.boxes = torch.cat([corners, corners + SQUARE], dim=1).float()
        for picture, (x, y) in zip(self.pictures, corners.tolist(), strict=True):
            picture[0, y : y + SQUARE, x : x + SQUARE] = 1

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, number: int) -> tuple[Tensor, dict[str, Tensor]]:
        labels = torch.zeros(1, dtype=torch.int64)
        return self.pictures[number], {"boxes": self.boxes[number].view(1, 4), "labels": labels}


def squares(examples: int, seed: int) -> DataLoader[Any]:
    """Return a loader of pictures with squares, batches of 32."""
    return DataLoader(Squares(examples, seed), batch_size=32, collate_fn=_together)


def _together(items: list[Any]) -> tuple[Tensor, list[dict[str, Tensor]]]:
    return torch.stack([picture for picture, _target in items]), [target for _p, target in items]


def box_loss(corners: Tensor, targets: list[dict[str, Tensor]]) -> Tensor:
    """Return the smooth absolute error of the corners, a scalar."""
    return nn.functional.smooth_l1_loss(corners, torch.cat([one["boxes"] for one in targets]))
