"""The examples that a DataLoader yields, and their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SubsetRandomSampler

from workbench.errors import user_errors


def length(name: str, dataset: Any) -> int:
    """Return the number of examples of a dataset.

    Raises
    ------
    InputError
        If ``len`` fails.
    """
    with user_errors(f"The length of the {name} data is unknown: len() fails", code="data.length"):
        return len(dataset)


def collates(loader: DataLoader[Any]) -> bool:
    """Whether a loader joins several items of its dataset into a batch."""
    return loader.batch_sampler is not None


def keys(name: str, loader: DataLoader[Any]) -> Sequence[Any]:
    """Return the indices of the examples that a loader yields, in the order of the dataset.

    A shuffling sampler gives each example once. A sampler that repeats examples is used as it
    samples now. Without shuffling, ``drop_last`` leaves out the incomplete last batch.
    """
    return _ordered([key for batch in _sampled(name, loader) for key in batch])


def batches(name: str, loader: DataLoader[Any]) -> list[Sequence[Any]]:
    """Return the indices of the examples of each batch."""
    sampler = loader.batch_sampler
    if not _is_default(sampler):
        return _sampled(name, loader)
    indices, size = keys(name, loader), sampler.batch_size
    return [indices[at : at + size] for at in range(0, len(indices), size)]


def _sampled(name: str, loader: DataLoader[Any]) -> list[Sequence[Any]]:
    """Return the sampled indices, of each batch if a custom batch sampler makes the batches."""
    batch_sampler: Any = loader.batch_sampler
    sampler: Any = batch_sampler.sampler if _is_default(batch_sampler) else loader.sampler
    message = f"The sampler of the {name} data fails"
    with user_errors(message, code="data.sampler_failed"), _generators_restored(loader, sampler):
        if batch_sampler is not None and not _is_default(batch_sampler):
            return [*map(list, batch_sampler)]
        if _shuffles_all(sampler, loader.dataset):
            return [range(length(name, loader.dataset))]
        indices = [*sampler]
        shuffles = isinstance(sampler, RandomSampler | SubsetRandomSampler)
        if batch_sampler is not None and batch_sampler.drop_last and not shuffles:
            indices = indices[: len(indices) // batch_sampler.batch_size * batch_sampler.batch_size]
        return [indices]


def _is_default(sampler: Any) -> TypeGuard[BatchSampler]:
    """Whether batches are consecutive indices of a sampler of single examples."""
    return type(sampler) is BatchSampler


def _shuffles_all(sampler: Any, dataset: Any) -> bool:
    """Whether every epoch has each example once, in random order."""
    permutes = isinstance(sampler, RandomSampler) and not sampler.replacement
    return permutes and sampler.num_samples == len(dataset)


def _ordered(keys: list[Any]) -> Sequence[Any]:
    """Return indices in ascending order if they are distinct integers, else unchanged."""
    numbers = [int(key) if hasattr(key, "__index__") else key for key in keys]
    integers = all(isinstance(key, int) for key in numbers)
    return sorted(numbers) if integers and len(set(numbers)) == len(numbers) else numbers


@contextmanager
def _generators_restored(loader: DataLoader[Any], sampler: Any) -> Iterator[None]:
    """Restore the random generators of a loader's samplers on exit."""
    generators = [getattr(x, "generator", None) for x in (loader, loader.batch_sampler, sampler)]
    states = [(g, g.get_state()) for g in generators if isinstance(g, torch.Generator)]
    try:
        yield
    finally:
        for generator, state in states:
            generator.set_state(state)
