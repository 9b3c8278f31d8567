"""Small random data for the modules of the table, generated without the package under test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

SIZES = {"train": 48, "validation": 40, "test": 12}
CLASSES = 3
WORDS = 12


def _noise(n: int, seed: int, *shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noise around a mean per class, and the classes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, (n,), generator=generator)
    fixed = torch.Generator().manual_seed(99)
    means = torch.randn(CLASSES, *shape, generator=fixed) * 0.7
    if len(shape) > 2 or shape[0] == 2:  # a mean over positions must not remove the signal
        means = means + torch.randn(CLASSES, shape[0], *[1] * (len(shape) - 1), generator=fixed)
    return means[labels] + torch.randn(n, *shape, generator=generator), labels


def _ids(n: int, seed: int, length: int = 7) -> torch.Tensor:
    """Return word indices; 0 is padding at the end of every other row."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, WORDS, (n, length), generator=generator)
    ids[::2, length - 2 :] = 0
    return ids


def _words(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = _ids(n, seed)
    return ids, (ids[:, 0] + ids[:, 1]) % CLASSES


def _next_words(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = _ids(n, seed, 8)
    targets = ids[:, 1:].clone()
    targets[1::4, 0] = -100
    return ids[:, :-1].contiguous(), targets


def _number(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    inputs, targets = _numbers(1)(n, seed)
    return inputs, targets.squeeze(1)


def _numbers(width: int) -> Callable[[int, int], Any]:
    def draw(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, _labels = _noise(n, seed, 8)
        weights = torch.randn(8, width, generator=torch.Generator().manual_seed(98))
        return inputs, torch.tanh(inputs @ weights)

    return draw


def _images(scale: int) -> Callable[[int, int], Any]:
    def draw(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, _labels = _noise(n, seed, 1, 8, 8)
        targets = inputs.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
        return inputs, targets.tanh()

    return draw


def _pair(n: int, seed: int) -> Any:
    left, labels = _noise(n, seed, 8)
    return (left, left.roll(1, 1) * 0.5), labels


def _named(n: int, seed: int) -> Any:
    (left, right), labels = _pair(n, seed)
    return {"left": left, "right": right}, labels


def _tokenized(n: int, seed: int) -> Any:
    ids, labels = _words(n, seed)
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}, labels


DATA: dict[str, Callable[[int, int], Any]] = {
    "points": lambda n, seed: _noise(n, seed, 8),
    "signals": lambda n, seed: _noise(n, seed, 2, 12),
    "pictures": lambda n, seed: _noise(n, seed, 3, 8, 8),
    "volumes": lambda n, seed: _noise(n, seed, 1, 4, 5, 6),
    "sequences": lambda n, seed: _noise(n, seed, 6, 8),
    "words": _words,
    "next words": _next_words,
    "number": _number,
    "one number": _numbers(1),
    "two numbers": _numbers(2),
    "same image": _images(1),
    "larger image": _images(2),
    "pair": _pair,
    "named": _named,
    "tokenized": _tokenized,
}
"""Functions of a number of examples and a seed that return inputs and targets, by name."""

TOKENS = frozenset({"next words"})
NUMBERS = frozenset({"number", "one number", "two numbers", "same image", "larger image"})


def task_of(data: str) -> str:
    """Return the type of the targets: ``tokens``, ``numbers`` or ``classes``."""
    return "tokens" if data in TOKENS else "numbers" if data in NUMBERS else "classes"


def splits(data: str) -> dict[str, Any]:
    """Return training, validation and test data."""
    return {name: DATA[data](n, seed) for seed, (name, n) in enumerate(SIZES.items())}
