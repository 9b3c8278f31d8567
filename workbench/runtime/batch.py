"""Batches: tensors with a row for every example, as a module takes them or passes them on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.utils.stateless import _reparametrize_module

from workbench.errors import WorkbenchError

HALF_DTYPES = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Batch:
    """Tensors [n, …] that belong together.

    `names` are those of a module's keyword arguments; without them the tensors go in order. Where
    it is `quick`, the channels of four-dimensional tensors lie last, as quick layers take them.
    """

    tensors: tuple[Tensor, ...]
    names: tuple[str, ...] | None = None
    channels_last: bool = False

    @classmethod
    def of(cls, inputs: Any) -> Batch:
        """Return what a module takes, a tensor, several or a dict of them, as a batch."""
        if isinstance(inputs, Batch):
            return inputs
        if isinstance(inputs, Mapping):
            return cls(tuple(inputs.values()), tuple(inputs))
        return cls((inputs,) if isinstance(inputs, Tensor) else tuple(inputs))

    @classmethod
    def in_channels_last(cls, inputs: Any) -> Batch:
        """Return what a module takes as a batch that is laid out for quick layers."""
        batch = cls.of(inputs)
        return cls(tuple(map(to_channels_last, batch.tensors)), batch.names, channels_last=True)

    @classmethod
    def concatenate(cls, pieces: list[Batch]) -> Batch:
        """Return the examples of all `pieces` in order."""
        columns = zip(*(piece.tensors for piece in pieces), strict=True)
        return pieces[0].with_tensors(torch.cat(column) for column in columns)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, chosen: slice | Tensor) -> Batch:
        return self.with_tensors(tensor[chosen] for tensor in self.tensors)

    def chunk(self, parts: int) -> list[Batch]:
        """Return about equal runs of the examples, `parts` at most."""
        pieces = (tensor.chunk(parts) for tensor in self.tensors)
        return [self.with_tensors(some) for some in zip(*pieces, strict=True)]

    def split(self, size: int) -> list[Batch]:
        """Return runs of `size` examples, the last one what is left."""
        return [self[start : start + size] for start in range(0, len(self), size)]

    def to(self, dtype: torch.dtype) -> Batch:
        """Return the same with the floating-point tensors in another precision."""
        return self.with_tensors(t.to(dtype) if t.is_floating_point() else t for t in self.tensors)

    def with_tensors(self, tensors: Iterable[Tensor]) -> Batch:
        """Return a batch of other `tensors`, named and laid out like this one."""
        laid = tuple(map(to_channels_last, tensors)) if self.channels_last else tuple(tensors)
        return Batch(laid, self.names, self.channels_last)


def call(module: nn.Module, weights: Mapping[str, Tensor], inputs: Any) -> Any:
    """Return what `module` makes of a batch with `weights` in place of its own.

    Every parameter and buffer comes from `weights`, which hold a tied one once; only buffers that
    a module does not save are its own, in the precision of the weights. Of what a module returns,
    the `logits` count where it names them, else the first of several tensors.
    """
    with using_weights(module, weights):
        return run(module, weights, inputs)


@contextmanager
def using_weights(module: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Lend `weights` to `module` for a while, as `call` does for one run.

    What a module computes again in a backward pass, as checkpointing does, then finds them too.
    """
    with swapped_tensors(module, constants(module, weights) | dict(weights)):
        yield


def run(module: nn.Module, weights: Mapping[str, Tensor], inputs: Any) -> Any:
    """Return what a `module` to which `weights` are lent makes of a batch."""
    batch = Batch.of(inputs)
    if any(tensor.dtype in HALF_DTYPES for tensor in batch.tensors):  # weights are widened
        batch = batch.to(_kind(weights))
    if batch.names is None:
        return outputs_of(module(*batch.tensors))
    return outputs_of(module(**dict(zip(batch.names, batch.tensors, strict=True))))


def call_with_tensors(
    module: nn.Module, tensors: Mapping[str, Tensor], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Return what `module` returns with `tensors` in place of all its parameters and buffers.

    A tensor that a module holds in several places goes by its first name, and a layer that the
    module holds under several names by the first of them.

    Raises
    ------
    KeyError
        When tensors are missing, or there are others than the module has.
    """
    with swapped_tensors(module, tensors):
        return module(*args, **kwargs)


@contextmanager
def swapped_tensors(module: nn.Module, tensors: Mapping[str, Tensor]) -> Iterator[None]:
    """Put `tensors` in place of a module's own for a while, as `call_with_tensors` does for one call.

    Raises
    ------
    KeyError
        When tensors are missing, or there are others than the module has.
    """
    places = _places(module)
    if places.keys() != tensors.keys():
        apart = ", ".join(sorted(places.keys() ^ tensors.keys()))
        raise KeyError(f"these tensors are not both lent and in the module: {apart}")
    lent = {name: tensors[first] for first, names in places.items() for name in names}
    # PyTorch's own way with tied tensors would put a lent one where a layer has two names.
    with _reparametrize_module(module, lent, tie_weights=False, strict=False):
        yield


_known_places: WeakKeyDictionary[nn.Module, dict[str, list[str]]] = WeakKeyDictionary()


def _places(module: nn.Module) -> dict[str, list[str]]:
    """Return where each parameter and buffer lies, by its first name."""
    found = _known_places.get(module)
    if found is not None:
        return found
    first: dict[int, str] = {}
    places: dict[str, list[str]] = {}
    for path, layer in module.named_modules():  # each layer once, whatever names it has
        for leaf, tensor in chain(layer._parameters.items(), layer._buffers.items()):  # noqa: SLF001 - named_parameters skips repeats
            if tensor is not None:
                name = f"{path}.{leaf}".removeprefix(".")
                places.setdefault(first.setdefault(id(tensor), name), []).append(name)
    _known_places[module] = places
    return places


def constants(module: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the buffers that `weights` lack, which `strict` calls ask for all the same."""
    found = {
        name: buffer
        for name, buffer in module.named_buffers()
        if name not in weights and not buffer.is_meta
    }
    if not found:
        return found
    kind = _kind(weights)
    if kind == torch.float32:
        return found
    return {n: b.to(kind) if b.is_floating_point() else b for n, b in found.items()}


def _kind(weights: Mapping[str, Tensor]) -> torch.dtype:
    """Return the precision that all weights were brought to, float32 where they differ."""
    kinds = {weight.dtype for weight in weights.values() if weight.is_floating_point()}
    return kinds.pop() if len(kinds) == 1 else torch.float32


def outputs_of(outputs: Any) -> Any:
    """Return the tensor that counts among what a module returned.

    Of named outputs, in a mapping, a dataclass or an object with `logits`, the logits count, else
    the first tensor; of a tuple its first entry. What holds no tensor first is returned as it is.

    Raises
    ------
    WorkbenchError
        When it returned an empty dict.
    """
    if isinstance(outputs, Tensor):
        return outputs
    if isinstance(outputs, Mapping):  # among them the named outputs of transformers
        if not outputs:
            raise WorkbenchError("The module returns an empty dict: let it return its outputs.")
        tensors = (one for one in outputs.values() if isinstance(one, Tensor))
        return outputs["logits"] if "logits" in outputs else next(tensors, outputs)
    if isinstance(getattr(outputs, "logits", None), Tensor):
        return outputs.logits
    if is_dataclass(outputs) and not isinstance(outputs, type):
        values = [getattr(outputs, field.name) for field in fields(outputs)]
        return next((one for one in values if isinstance(one, Tensor)), outputs)
    if isinstance(outputs, tuple | list) and outputs and isinstance(outputs[0], Tensor):
        return outputs[0]
    return outputs


def layout_inputs(inputs: Any, *, channels_last: bool) -> Batch:
    """Return inputs as a batch, where it is `quick` laid out for quick layers."""
    return Batch.in_channels_last(inputs) if channels_last else Batch.of(inputs)


def layout_weights(weights: Mapping[str, Tensor], *, channels_last: bool) -> dict[str, Tensor]:
    """Return `weights`, where it is `quick` laid out for quick layers."""
    return {n: to_channels_last(w) if channels_last else w for n, w in weights.items()}


def to_channels_last(tensor: Tensor) -> Tensor:
    """Return `tensor`, if of four dimensions, laid out so that convolutions take the quick way.

    With one channel both layouts are the same in memory, and PyTorch tells them apart by the
    strides alone: it has to be told.
    """
    if tensor.ndim != 4:
        return tensor
    tensor = tensor.contiguous(memory_format=torch.channels_last)
    _, channels, height, width = tensor.shape
    strides = (height * width * channels, 1, width * channels, channels)
    return tensor.as_strided(tensor.shape, strides)


def tensors_in(outputs: Any) -> Iterator[Tensor]:
    """Yield the tensors among what a module takes or returns, in order, nested ones included."""
    if isinstance(outputs, Tensor):
        yield outputs
    elif isinstance(outputs, Mapping):
        yield from tensors_in(tuple(outputs.values()))
    elif isinstance(outputs, tuple | list):
        for one in outputs:
            yield from tensors_in(one)
