"""A person's own model: its module stays theirs, and is neither changed nor copied."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
import torch
from torch import Tensor, nn

from workbench.errors import RecipeError, WorkbenchError
from workbench.zoo.builtin import Architecture
from workbench.zoo.data import Split
from workbench.zoo.rows import Columns

GLIMPSE = 4096
"""Values of a tensor or array that are looked at again to tell whether it has changed."""
SPREAD = 0.02
"""Of fresh weights that no layer knows how to draw, the standard deviation of GPT-2's."""


@dataclass(frozen=True)
class Held:
    """One split as it was brought."""

    content: Split
    seen: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seen", _glimpse(self.content))

    @property
    def split(self) -> str:
        """Its name."""
        return self.content.name

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its content when it was brought."""
        return self.content.digest

    def load(self) -> Split:
        """Return it."""
        return self.content

    def check_unchanged(self) -> None:
        """Refuse data that are no longer those that were brought.

        Raises
        ------
        WorkbenchError
            When arrays or tensors have been written to since.
        """
        if _glimpse(self.content) != self.seen:
            raise WorkbenchError(
                f"The {self.split} data have changed since they were brought, so that nothing "
                "measured before is true of them: bring the model again."
            )


@dataclass(frozen=True)
class Brought(Architecture):
    """The architecture of a module that a person has made.

    `fingerprint` is the SHA-256 (hex) of its weights and of what it answers to some examples.
    """

    fingerprint: str = ""
    held: nn.Module = field(default_factory=nn.Module, compare=False, repr=False)
    versions: tuple[int, ...] = field(default=(), compare=False, repr=False)

    def build(self) -> nn.Module:
        """Make a copy of the module with fresh weights, as its layers draw them.

        Raises
        ------
        RecipeError
            When another width is asked for: only the module's author knows how to build it.
        """
        self._check_width()
        tensors = {id(p): nn.Parameter(torch.empty_like(p)) for p in self.held.parameters()}
        module = copy.deepcopy(self.held, dict(tensors))
        drawn: set[int] = set()
        for layer in module.modules():
            if callable(getattr(layer, "reset_parameters", None)):
                layer.reset_parameters()  # type: ignore[operator]
                drawn |= {id(p) for p in layer.parameters(recurse=False)}
        with torch.no_grad():
            for parameter in module.parameters():
                if id(parameter) not in drawn:
                    parameter.normal_(0, SPREAD) if parameter.ndim > 1 else parameter.zero_()
        return module

    def empty(self) -> nn.Module:
        """Make a copy of the module without values; what it does not save is kept."""
        self._check_width()
        hollow: dict[int, Any] = {
            id(p): nn.Parameter(torch.empty_like(p, device="meta"), requires_grad=p.requires_grad)
            for p in self.held.parameters()
        }
        saved = self.held.state_dict(keep_vars=True).values()
        hollow |= {id(b): torch.empty_like(b, device="meta") for b in saved if id(b) not in hollow}
        return copy.deepcopy(self.held, hollow)

    @property
    def most_left_out(self) -> int:
        """None of its layers can be left out."""
        return 0

    @cached_property
    def _weights(self) -> dict[str, Tensor]:
        return tensors_of(self.held)

    def weights(self, digest: str) -> dict[str, Tensor]:
        """Return the module's own tensors."""
        self.check_unchanged()
        return self._weights

    def check_unchanged(self) -> None:
        """Refuse weights that are no longer those that were brought.

        Raises
        ------
        WorkbenchError
            When anybody has written to them since.
        """
        if versions_of(self.held) != self.versions:
            raise WorkbenchError(
                f"The weights of {self.name} have changed since it was brought, so that nothing "
                "measured before is true of it: bring it again."
            )
        for source in self.task.sources:
            if isinstance(source, Held):
                source.check_unchanged()

    def _check_width(self) -> None:
        if self.width != 1 or self.left_out:
            raise RecipeError(
                f"{self.name} cannot be built narrower or with fewer layers: only built-in models "
                "can. Remove channels instead."
            )


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's parameters and saved buffers by name, tied ones once.

    They are the module's own, but for half precision, which is widened to float32.
    """
    saved = module.state_dict(keep_vars=True)
    found: dict[str, Tensor] = dict(module.named_parameters())
    found |= {name: buffer for name, buffer in module.named_buffers() if name in saved}
    return {name: _wide(tensor.detach()) for name, tensor in found.items()}


def versions_of(module: nn.Module) -> tuple[int, ...]:
    """Return how often each tensor was written to and a checksum, which tell whether any was.

    What is written past autograd is not counted: the checksum, of some values, sees most of that.
    """
    saved = module.state_dict(keep_vars=True).values()
    written = (tensor._version for tensor in saved)  # noqa: SLF001 - has no public name
    return (*written, _checksum(tensor.detach() for tensor in saved))


def _glimpse(split: Split) -> int:
    """Return a checksum of some values of a split's arrays and tensors, as far as it has any."""
    examples = split.examples.parts if isinstance(split.examples, Columns) else [split.examples]
    parts = [*(examples.values() if isinstance(examples, Mapping) else examples), split.labels]
    return _checksum(part for part in parts if isinstance(part, Tensor | np.ndarray))


def _checksum(arrays: Iterable[Any]) -> int:
    found = 0
    for array in arrays:
        flat = array.reshape(-1)
        some = flat[:: max(1, len(flat) // GLIMPSE)]
        if isinstance(some, Tensor):
            some = some.contiguous().view(torch.uint8).numpy()
        found = crc32(some.tobytes(), found)
    return found


def _wide(tensor: Tensor) -> Tensor:
    half = tensor.dtype in (torch.float16, torch.bfloat16)
    return tensor.float() if half else tensor
