"""The architecture of a custom model. The user's module is neither changed nor copied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
import torch
from torch import Tensor, nn

from workbench.artifact.unstored import Fingerprint
from workbench.cache.memory import Lifetime
from workbench.domain.lazy_rows import Columns
from workbench.domain.model import Architecture
from workbench.domain.module_copy import deep_copy, meta_copy
from workbench.domain.module_tensors import stored_tensors, tensors_of
from workbench.domain.task import Split
from workbench.errors import InputError, RecipeError
from workbench.runtime.batch import HALF_DTYPES
from workbench.runtime.traits import BUILT_IN, Traits

CHECKED_VALUES = 4096
"""Number of values of each tensor or array that are checked for changes."""
INITIAL_STD = 0.02
"""Standard deviation of initial weights of layers without `reset_parameters`, as in GPT-2."""


@dataclass(frozen=True)
class UserSplit:
    """One split of a user's data, in memory."""

    content: Split
    checksum: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "checksum", _split_checksum(self.content))

    @property
    def split(self) -> str:
        """The name of the split."""
        return self.content.name

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the content at registration."""
        return self.content.digest

    def load(self) -> Split:
        """Return the split."""
        return self.content

    def check_unchanged(self) -> None:
        """Raise if the data have changed since registration.

        Raises
        ------
        InputError
            If arrays or tensors have been written to.
        """
        if _split_checksum(self.content) != self.checksum:
            raise InputError(
                f"The {self.split} data have changed since the model was registered, so cached "
                "results are invalid; call wb.from_module again.",
                code="data.changed",
            )


@dataclass(frozen=True)
class UserArchitecture(Architecture):
    """The architecture of a user's module.

    Attributes
    ----------
    fingerprint : str
        SHA-256 (hex) of the weights and of the outputs for some examples.
    module : nn.Module
        The module that runs. It shares its tensors with `source` and differs from it only if a
        wrapper or masks were removed.
    source : nn.Module
        The user's module.
    versions : tuple of int
        `versions_of` the source at registration.
    traits : Traits
        The ways in which the module can run.
    preprocessing : mapping or None
        How files of the model predict from raw data, see `workbench.artifact.preprocessing`.
    unstored : mapping or None
        Fingerprints of values that the module needs and files do not store, by name.
    """

    fingerprint: str = ""
    module: nn.Module = field(default_factory=nn.Module, compare=False, repr=False)
    source: nn.Module = field(default_factory=nn.Module, compare=False, repr=False)
    versions: tuple[int, ...] = field(default=(), compare=False, repr=False)
    lifetime: Lifetime = field(default_factory=Lifetime, compare=False, repr=False)
    traits: Traits = field(default=BUILT_IN, compare=False)
    preprocessing: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    unstored: Mapping[str, Fingerprint] | None = field(default=None, compare=False, repr=False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the attributes that another process sent; its tensors count writes from zero here."""
        self.__dict__.update(state)
        self.__dict__["versions"] = versions_of(self.source)

    def build(self) -> nn.Module:
        """Return a copy of the module, initialized by the `reset_parameters` of its layers.

        Parameters that do not require gradients keep their values.

        Raises
        ------
        RecipeError
            If another width or depth is requested.
        """
        self._check_width()
        tensors = {
            id(p): nn.Parameter(
                torch.empty_like(p, dtype=torch.float32 if p.dtype in HALF_DTYPES else None),
                requires_grad=p.is_floating_point(),
            )
            for p in self.module.parameters()
        }
        module = deep_copy(self.module, dict(tensors))
        initialized: set[int] = set()
        for layer in module.modules():
            if callable(getattr(layer, "reset_parameters", None)):
                layer.reset_parameters()  # type: ignore[operator]
                initialized |= {id(p) for p in layer.parameters(recurse=False)}
        with torch.no_grad():
            for parameter in module.parameters():
                if id(parameter) not in initialized:
                    parameter.normal_(0, INITIAL_STD) if parameter.ndim > 1 else parameter.zero_()
            for original in self.module.parameters():
                if not original.requires_grad:
                    tensors[id(original)].requires_grad_(False).copy_(original)
        return module

    def empty(self) -> nn.Module:
        """Return a copy of the module without values; unsaved buffers keep theirs."""
        self._check_width()
        return meta_copy(self.module)

    @staticmethod
    def no_grad() -> AbstractContextManager[Any]:
        """Return `torch.no_grad`. Unlike in inference mode, forward passes can enable gradients."""
        return torch.no_grad()

    @property
    def data(self) -> tuple[Any, ...]:
        """Arrays and tensors of the splits, without examples that are read one by one."""
        splits = [source.content for source in self.task.sources if isinstance(source, UserSplit)]
        return tuple(part for split in splits for part in _arrays(split))

    @property
    def most_left_out(self) -> int:
        """Zero: no layer can be omitted."""
        return 0

    @cached_property
    def _weights(self) -> dict[str, Tensor]:
        return tensors_of(self.module)

    def weights(self, digest: str) -> dict[str, Tensor]:
        """Return the tensors of the module, half precision converted to float32."""
        self.check_unchanged()
        return self._weights

    def check_unchanged(self) -> None:
        """Raise if the weights or data have changed since registration.

        Raises
        ------
        InputError
            If weights, arrays or tensors have been written to.
        """
        if versions_of(self.source) != self.versions:
            raise InputError(
                f"Weights or buffers of {self.name} have changed since it was registered, so "
                "cached results are invalid: call wb.from_module again, or, if its forward changes "
                "them for some examples, register a module that does not do so in eval mode.",
                code="module.changed",
            )
        for source in self.task.sources:
            if isinstance(source, UserSplit):
                source.check_unchanged()

    def _check_width(self) -> None:
        if self.width != 1 or self.left_out:
            raise RecipeError(
                f"{self.name} cannot be built with another width or depth, because only built-in "
                "models can; remove channels instead.",
                code="recipe.fixed_architecture",
            )


def versions_of(module: nn.Module) -> tuple[int, ...]:
    """Return the version of each tensor, which parameters require gradients, and a checksum.

    Versions do not count writes that bypass autograd or go to tensors made in inference mode. The
    checksum of some values detects most of those.
    """
    saved = [tensor.detach() for tensor in stored_tensors(module).values()]
    writes = (0 if tensor.is_inference() else tensor._version for tensor in saved)  # noqa: SLF001 - has no public name
    trained = (int(parameter.requires_grad) for parameter in module.parameters())
    return (*writes, *trained, _checksum(saved))


def _split_checksum(split: Split) -> int:
    """Return a checksum of some values of a split's arrays and tensors."""
    return _checksum(_arrays(split))


def _arrays(split: Split) -> list[Any]:
    """Return the arrays and tensors of a split."""
    examples = split.examples.parts if isinstance(split.examples, Columns) else [split.examples]
    parts = [*(examples.values() if isinstance(examples, Mapping) else examples), split.labels]
    return [part for part in parts if isinstance(part, Tensor | np.ndarray)]


def _checksum(arrays: Iterable[Any]) -> int:
    checksum = 0
    for array in arrays:
        flat = array.reshape(-1)
        sample = flat[:: max(1, len(flat) // CHECKED_VALUES)]
        if isinstance(sample, Tensor):
            sample = sample.contiguous().view(torch.uint8).numpy()
        checksum = crc32(sample.tobytes(), checksum)
    return checksum
