"""Bytes that a device needs, by kind."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True)
class Memory:
    """Bytes at the moment when most are allocated; `total` is the allocator's peak.

    `context` is what the driver and its libraries take outside the allocator.
    """

    weights: float = 0
    gradients: float = 0
    optimizer: float = 0
    activations: float = 0
    logits: float = 0
    kv_cache: float = 0
    gathered: float = 0
    buffers: float = 0
    context: float = 0

    @property
    def total(self) -> float:
        """All kinds but `context`."""
        return float(sum(vars(self).values())) - self.context

    def gib(self) -> dict[str, float]:
        """Return GiB by kind, with `total`."""
        return {
            "total": self.total / GIB,
            **{name: value / GIB for name, value in vars(self).items()},
        }
