"""Bytes that a rank holds, counted from storages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from workbench.parallel.rank.strategy import Strategy


def bytes_by_kind(strategy: Strategy) -> dict[str, int]:
    """Return the bytes of weights, gradients and optimizer state; each storage counts once."""
    held = strategy.held()
    return {
        "weights": storage_bytes(held["weights"]),
        "gradients": storage_bytes(held["gradients"]),
        "optimizer": storage_bytes(_state(strategy.optimizer)),
    }


def storage_bytes(tensors: Iterable[Tensor]) -> int:
    """Return the bytes of the storages of `tensors`, padding included, shared ones once."""
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return sum(storages.values())


def _state(optimizer: Any) -> list[Tensor]:
    """Return the tensors of an optimizer's state."""
    values = (value for state in optimizer.state.values() for value in state.values())
    return [value for value in values if isinstance(value, Tensor)]
