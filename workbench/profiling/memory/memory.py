"""The predicted peak memory of a module: what takes it in training and in inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.display import Displayable
from workbench.i18n import mark as N_

KINDS = {
    "weights": N_("weights"),
    "buffers": N_("buffers"),
    "gradients": N_("gradients"),
    "optimizer": N_("optimizer states"),
    "inputs": N_("inputs"),
    "activations": N_("activations"),
    "temporaries": N_("temporary tensors"),
    "workspace": N_("workspace of kernels"),
}
"""Kinds of memory with their labels, in the order in which they are shown."""


@dataclass(frozen=True)
class Peak:
    """The moment of the largest memory.

    Attributes
    ----------
    bytes : mapping
        The bytes of each kind in `KINDS` at that moment.
    operation : str
        PyTorch's name of the operation that reached it.
    """

    bytes: Mapping[str, int]
    operation: str

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(self.bytes.values())

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"total": self.total, **self.bytes, "operation": self.operation}


@dataclass(frozen=True)
class Memory(Displayable):
    """The predicted peak memory of a module on the CPU, with one batch.

    Attributes
    ----------
    name : str
        The name of the model or of the module's class.
    batch : int
        Examples.
    optimizer : str
        The name of the optimizer.
    training : Peak
        Of a training step after the first one, so that the optimizer's states exist.
    inference : Peak
        Of a forward pass without gradients, in eval mode.
    computed : bool
        Whether the module had to compute real values, because what it does depends on them.
    """

    _plots = "memory"

    name: str
    batch: int
    optimizer: str
    training: Peak
    inference: Peak
    computed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "name": self.name,
            "batch": self.batch,
            "optimizer": self.optimizer,
            "training": self.training.as_dict(),
            "inference": self.inference.as_dict(),
            "computed": self.computed,
        }

    def __repr__(self) -> str:
        return (
            f"<Memory {self.name}, batch {self.batch}: training {self.training.total:,} bytes, "
            f"inference {self.inference.total:,} bytes>"
        )
