"""A person's own model: its module stays theirs, and is neither changed nor copied."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
import torch
from torch import Tensor, nn

from workbench.cache.memory import Lifetime
from workbench.compression.coded import BUFFERS
from workbench.domain.lazy_rows import Columns
from workbench.domain.model import Architecture
from workbench.domain.task import Split
from workbench.errors import RecipeError, WorkbenchError
from workbench.runtime.batch import HALF_DTYPES
from workbench.runtime.traits import BUILT_IN, Traits

GLIMPSE = 4096
"""Values of a tensor or array that are looked at again to tell whether it has changed."""
SPREAD = 0.02
"""Of fresh weights that no layer knows how to draw, the standard deviation of GPT-2's."""


@dataclass(frozen=True)
class UserSplit:
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
class UserArchitecture(Architecture):
    """The architecture of a module that a person has made.

    `fingerprint` is the SHA-256 (hex) of its weights and of what it answers to some examples.
    `held` is the module that runs, which shares its tensors with `source`, the user's; the two
    differ only where a wrapper or masks were taken off. `versions` are those of `source` when the
    model was made, and `traits` say how the module may be run.
    """

    fingerprint: str = ""
    module: nn.Module = field(default_factory=nn.Module, compare=False, repr=False)
    source: nn.Module = field(default_factory=nn.Module, compare=False, repr=False)
    versions: tuple[int, ...] = field(default=(), compare=False, repr=False)
    lifetime: Lifetime = field(default_factory=Lifetime, compare=False, repr=False)
    traits: Traits = field(default=BUILT_IN, compare=False)

    def build(self) -> nn.Module:
        """Make a copy of the module with fresh weights, as its layers draw them.

        Parameters that do not require gradients keep their values.

        Raises
        ------
        RecipeError
            When another width is asked for: only the module's author knows how to build it.
        """
        self._check_width()
        tensors = {
            id(p): nn.Parameter(
                torch.empty_like(p, dtype=widened(p.dtype)), requires_grad=p.is_floating_point()
            )
            for p in self.module.parameters()
        }
        module = deep_copy(self.module, dict(tensors))
        drawn: set[int] = set()
        for layer in module.modules():
            if callable(getattr(layer, "reset_parameters", None)):
                layer.reset_parameters()  # type: ignore[operator]
                drawn |= {id(p) for p in layer.parameters(recurse=False)}
        with torch.no_grad():
            for parameter in module.parameters():
                if id(parameter) not in drawn:
                    parameter.normal_(0, SPREAD) if parameter.ndim > 1 else parameter.zero_()
            for original in self.module.parameters():
                if not original.requires_grad:
                    tensors[id(original)].requires_grad_(False).copy_(original)
        return module

    def empty(self) -> nn.Module:
        """Make a copy of the module without values; what it does not save is kept."""
        self._check_width()
        return meta_copy(self.module)

    @staticmethod
    def quiet() -> AbstractContextManager[Any]:
        """Return what a user's module is run under: some differentiate inside."""
        return torch.no_grad()

    @property
    def data(self) -> tuple[Any, ...]:
        """The arrays and tensors of its splits, but for examples that are read one by one."""
        held = [source.content for source in self.task.sources if isinstance(source, UserSplit)]
        return tuple(part for split in held for part in _arrays(split))

    @property
    def most_left_out(self) -> int:
        """None of its layers can be left out."""
        return 0

    @cached_property
    def _weights(self) -> dict[str, Tensor]:
        return tensors_of(self.module)

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
        if versions_of(self.source) != self.versions:
            raise WorkbenchError(
                f"The weights of {self.name} have changed since it was brought, so that nothing "
                "measured before is true of it: bring it again."
            )
        for source in self.task.sources:
            if isinstance(source, UserSplit):
                source.check_unchanged()

    def _check_width(self) -> None:
        if self.width != 1 or self.left_out:
            raise RecipeError(
                f"{self.name} cannot be built narrower or with fewer layers: only built-in models "
                "can. Remove channels instead."
            )


def meta_copy(module: nn.Module) -> nn.Module:
    """Return a copy of `module` whose parameters and saved buffers have no values."""
    empty: dict[int, Any] = {
        id(p): nn.Parameter(torch.empty_like(p, device="meta"), requires_grad=p.requires_grad)
        for p in module.parameters()
    }
    for tensor in stored_tensors(module).values():
        if id(tensor) not in empty:
            empty[id(tensor)] = torch.empty_like(tensor, device="meta")
    copied = deep_copy(module, empty)
    for layer in copied.modules():
        if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
            layer.sparse = False  # masks and rounding have no sparse gradients
    return copied


def deep_copy(module: nn.Module, known: dict[int, Any]) -> nn.Module:
    """Return a deep copy of `module` with the tensors that are `known` by their identity."""
    for layer in module.modules():
        for value in vars(layer).values():
            for tensor in _held(value):
                if tensor.grad_fn is not None:  # such tensors do not copy deeply
                    known.setdefault(id(tensor), tensor.detach().clone())
    return copy.deepcopy(module, known)


def _held(value: Any) -> Iterator[Tensor]:
    """Yield a tensor, or those in a list or dict."""
    if isinstance(value, Mapping):
        value = [*value.values()]
    for one in value if isinstance(value, list | tuple) else [value]:
        if isinstance(one, Tensor):
            yield one


def stored_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and the buffers that a file holds, by name, tied ones once.

    Buffers that the module does not save, and sparse ones, stay its own.
    """
    found: dict[str, Tensor] = dict(module.named_parameters())
    unsaved = {
        f"{path}.{name}".removeprefix(".")
        for path, layer in module.named_modules()
        for name in layer._non_persistent_buffers_set  # noqa: SLF001 - has no public name
    }
    found |= {
        name: buffer
        for name, buffer in module.named_buffers()
        if name not in unsaved
        and buffer.layout == torch.strided
        and buffer.dtype in BUFFERS.values()
    }
    return found


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's parameters and saved buffers by name, tied ones once.

    They are the module's own, but for those that were made in inference mode, which are copied, and
    for half precision, which is widened to float32; half buffers only where parameters are, too.
    """
    found = stored_tensors(module)
    parameters = {name for name, _ in module.named_parameters()}
    half = any(found[name].dtype in HALF_DTYPES for name in parameters)
    return {
        name: _plain(tensor, widen=half or name in parameters) for name, tensor in found.items()
    }


def versions_of(module: nn.Module) -> tuple[int, ...]:
    """Return how often each tensor was written to, which are trained, and a checksum.

    What is written past autograd, or to tensors made in inference mode, is not counted: the
    checksum, of some values, sees most of that.
    """
    saved = [tensor.detach() for tensor in stored_tensors(module).values()]
    written = (0 if tensor.is_inference() else tensor._version for tensor in saved)  # noqa: SLF001 - has no public name
    trained = (int(parameter.requires_grad) for parameter in module.parameters())
    return (*written, *trained, _checksum(saved))


def _glimpse(split: Split) -> int:
    """Return a checksum of some values of a split's arrays and tensors, as far as it has any."""
    return _checksum(_arrays(split))


def _arrays(split: Split) -> list[Any]:
    """Return the arrays and tensors that a split holds."""
    examples = split.examples.parts if isinstance(split.examples, Columns) else [split.examples]
    parts = [*(examples.values() if isinstance(examples, Mapping) else examples), split.labels]
    return [part for part in parts if isinstance(part, Tensor | np.ndarray)]


def _checksum(arrays: Iterable[Any]) -> int:
    found = 0
    for array in arrays:
        flat = array.reshape(-1)
        some = flat[:: max(1, len(flat) // GLIMPSE)]
        if isinstance(some, Tensor):
            some = some.contiguous().view(torch.uint8).numpy()
        found = crc32(some.tobytes(), found)
    return found


def _plain(tensor: Tensor, *, widen: bool) -> Tensor:
    if widen and tensor.dtype in HALF_DTYPES:
        return tensor.detach().float()
    return tensor.detach().clone() if tensor.is_inference() else tensor.detach()


def widened(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which parameters of `dtype` are run here."""
    return torch.float32 if dtype in HALF_DTYPES else dtype
