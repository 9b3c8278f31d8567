"""Which examples of its data set a DataLoader yields, and in which order they count here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SubsetRandomSampler

from workbench.errors import user_errors


def length(name: str, dataset: Any) -> int:
    """Return how many examples a data set has.

    Raises
    ------
    WorkbenchError
        When it does not say.
    """
    with user_errors(f"The length of the {name} data is not told: it fails"):
        return len(dataset)


def collates(loader: DataLoader[Any]) -> bool:
    """Whether a loader joins several items of its data set into a batch."""
    return loader.batch_sampler is not None


def keys(name: str, loader: DataLoader[Any]) -> Sequence[Any]:
    """Return the numbers of the examples that a loader yields, in the order of the data set.

    A sampler that shuffles gives each of its examples once. One that draws some of them twice is
    taken as it draws now. Where it does not shuffle, ``drop_last`` leaves out what it leaves out.
    """
    return _ordered([key for batch in _drawn(name, loader) for key in batch])


def batches(name: str, loader: DataLoader[Any]) -> list[Sequence[Any]]:
    """Return the numbers of the examples of each batch."""
    sampler = loader.batch_sampler
    if not _is_usual(sampler):
        return _drawn(name, loader)
    found, size = keys(name, loader), sampler.batch_size
    return [found[at : at + size] for at in range(0, len(found), size)]


def _drawn(name: str, loader: DataLoader[Any]) -> list[Sequence[Any]]:
    """Return the numbers that are drawn: of each batch, where a sampler of one's own makes them."""
    batch_sampler: Any = loader.batch_sampler
    sampler: Any = batch_sampler.sampler if _is_usual(batch_sampler) else loader.sampler
    with user_errors(f"The sampler of the {name} data fails"), _generators_kept(loader, sampler):
        if batch_sampler is not None and not _is_usual(batch_sampler):
            return [*map(list, batch_sampler)]
        if _shuffles_all(sampler, loader.dataset):
            return [range(length(name, loader.dataset))]
        drawn = [*sampler]
        shuffles = isinstance(sampler, RandomSampler | SubsetRandomSampler)
        if batch_sampler is not None and batch_sampler.drop_last and not shuffles:
            drawn = drawn[: len(drawn) // batch_sampler.batch_size * batch_sampler.batch_size]
        return [drawn]


def _is_usual(sampler: Any) -> TypeGuard[BatchSampler]:
    """Whether batches are runs of what a sampler of single examples draws."""
    return type(sampler) is BatchSampler


def _shuffles_all(sampler: Any, dataset: Any) -> bool:
    """Whether every epoch holds each example once, in another order."""
    plain = isinstance(sampler, RandomSampler) and not sampler.replacement
    return plain and sampler.num_samples == len(dataset)


def _ordered(drawn: list[Any]) -> Sequence[Any]:
    """Return numbers in ascending order where each is there once; else as they are."""
    numbers = [int(key) if hasattr(key, "__index__") else key for key in drawn]
    whole = all(isinstance(key, int) for key in numbers)
    return sorted(numbers) if whole and len(set(numbers)) == len(numbers) else numbers


@contextmanager
def _generators_kept(loader: DataLoader[Any], sampler: Any) -> Iterator[None]:
    """Draw from a loader's samplers without changing what they draw next."""
    found = [getattr(one, "generator", None) for one in (loader, loader.batch_sampler, sampler)]
    states = [(one, one.get_state()) for one in found if isinstance(one, torch.Generator)]
    try:
        yield
    finally:
        for one, state in states:
            one.set_state(state)
