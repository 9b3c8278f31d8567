"""Batches of tensors, and running a module on given weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.stateless import _reparametrize_module

from workbench.errors import InputError

HALF_DTYPES = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Batch:
    """The tensors of one batch, each [n, …].

    Attributes
    ----------
    tensors : tuple of Tensor
    names : tuple of str, optional
        Names of the module's keyword arguments. Without names the tensors are positional.
    channels_last : bool
        Whether four-dimensional tensors have the channels-last memory format.
    """

    tensors: tuple[Tensor, ...]
    names: tuple[str, ...] | None = None
    channels_last: bool = False

    @classmethod
    def of(cls, inputs: Any) -> Batch:
        """Return a module's inputs, a tensor, a sequence or a dict of tensors, as a batch."""
        if isinstance(inputs, Batch):
            return inputs
        if isinstance(inputs, Mapping):
            return cls(tuple(inputs.values()), tuple(inputs))
        return cls((inputs,) if isinstance(inputs, Tensor) else tuple(inputs))

    @classmethod
    def in_channels_last(cls, inputs: Any) -> Batch:
        """Return a module's inputs as a batch in channels-last memory format."""
        batch = cls.of(inputs)
        return cls(tuple(map(to_channels_last, batch.tensors)), batch.names, channels_last=True)

    @classmethod
    def concatenate(cls, batches: list[Batch]) -> Batch:
        """Return one batch with the examples of all `batches` in order."""
        columns = zip(*(batch.tensors for batch in batches), strict=True)
        return batches[0].with_tensors(torch.cat(column) for column in columns)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: slice | Tensor) -> Batch:
        return self.with_tensors(tensor[index] for tensor in self.tensors)

    def chunk(self, parts: int) -> list[Batch]:
        """Split the examples into at most `parts` batches of about equal size."""
        columns = (tensor.chunk(parts) for tensor in self.tensors)
        return [self.with_tensors(tensors) for tensors in zip(*columns, strict=True)]

    def split(self, size: int) -> list[Batch]:
        """Split the examples into batches of `size`; the last one may be smaller."""
        return [self[start : start + size] for start in range(0, len(self), size)]

    def to(self, dtype: torch.dtype) -> Batch:
        """Return the batch with floating-point tensors converted to `dtype`."""
        return self.with_tensors(t.to(dtype) if t.is_floating_point() else t for t in self.tensors)

    def arrays(self) -> list[NDArray[Any]]:
        """Return the tensors as arrays."""
        return [tensor.numpy() for tensor in self.tensors]

    def with_tensors(self, tensors: Iterable[Tensor]) -> Batch:
        """Return a batch of other `tensors` with the same names and memory format."""
        converted = tuple(map(to_channels_last, tensors)) if self.channels_last else tuple(tensors)
        return Batch(converted, self.names, self.channels_last)


def call(module: nn.Module, weights: Mapping[str, Tensor], inputs: Any) -> Any:
    """Return the outputs of `module` for a batch, using `weights` in place of its tensors.

    `weights` holds every parameter and saved buffer, a tied one once. Unsaved buffers are the
    module's, converted to the dtype of the weights. `outputs_of` selects the output tensor.
    """
    with using_weights(module, weights):
        return run(module, weights, inputs)


@contextmanager
def using_weights(module: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Use `weights` in place of the module's tensors inside the context.

    The context must include the backward pass if the module recomputes layers there, as activation
    checkpointing does.
    """
    with swapped_tensors(module, _constants(module, weights) | dict(weights)):
        yield


def run(module: nn.Module, weights: Mapping[str, Tensor], inputs: Any) -> Any:
    """Return the outputs of a module inside `using_weights(module, weights)`."""
    batch = Batch.of(inputs)
    if any(tensor.dtype in HALF_DTYPES for tensor in batch.tensors):  # the weights are float32
        batch = batch.to(_float_dtype(weights))
    return apply(module, batch)


def apply(module: nn.Module, batch: Batch, *, select: bool = True) -> Any:
    """Return the outputs of a module for a batch: all, or the tensor that `outputs_of` selects."""
    if batch.names is None:
        outputs = module(*batch.tensors)
    else:
        outputs = module(**dict(zip(batch.names, batch.tensors, strict=True)))
    return outputs_of(outputs) if select else outputs


def call_with_tensors(
    module: nn.Module, tensors: Mapping[str, Tensor], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Call `module` with `tensors` in place of all its parameters and buffers.

    A tied tensor has its first name, and so has a layer that is registered under several names.

    Raises
    ------
    KeyError
        If the names of `tensors` are not exactly those of the module.
    """
    with swapped_tensors(module, tensors):
        return module(*args, **kwargs)


@contextmanager
def swapped_tensors(module: nn.Module, tensors: Mapping[str, Tensor]) -> Iterator[None]:
    """Replace all parameters and buffers of a module by `tensors` inside the context.

    Raises
    ------
    KeyError
        If the names of `tensors` are not exactly those of the module.
    """
    places = _places(module)
    if places.keys() != tensors.keys():
        mismatched = ", ".join(sorted(places.keys() ^ tensors.keys()))
        raise KeyError(f"missing or unknown tensors: {mismatched}")
    replacements = {name: tensors[first] for first, names in places.items() for name in names}
    # With tie_weights=True PyTorch would replace the wrong tensor of a layer that has two names.
    with _reparametrize_module(module, replacements, tie_weights=False, strict=False):
        yield


_known_places: WeakKeyDictionary[nn.Module, dict[str, list[str]]] = WeakKeyDictionary()


def _places(module: nn.Module) -> dict[str, list[str]]:
    """Return all names of each parameter and buffer, by its first name."""
    known = _known_places.get(module)
    if known is not None:
        return known
    first: dict[int, str] = {}
    places: dict[str, list[str]] = {}
    for path, layer in module.named_modules():  # each layer once, under its first name
        for leaf, tensor in chain(layer._parameters.items(), layer._buffers.items()):  # noqa: SLF001 - named_parameters skips repeats
            if tensor is not None:
                name = f"{path}.{leaf}".removeprefix(".")
                places.setdefault(first.setdefault(id(tensor), name), []).append(name)
    _known_places[module] = places
    return places


def _constants(module: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the buffers that `weights` do not include, in the dtype of the weights."""
    buffers = {
        name: buffer
        for name, buffer in module.named_buffers()
        if name not in weights and not buffer.is_meta
    }
    dtype = _float_dtype(weights) if buffers else torch.float32
    if dtype == torch.float32:
        return buffers
    return {n: b.to(dtype) if b.is_floating_point() else b for n, b in buffers.items()}


def _float_dtype(weights: Mapping[str, Tensor]) -> torch.dtype:
    """Return the common dtype of all floating-point weights, or float32 if they differ."""
    dtypes = {weight.dtype for weight in weights.values() if weight.is_floating_point()}
    return dtypes.pop() if len(dtypes) == 1 else torch.float32


def outputs_of(outputs: Any) -> Any:
    """Return the output tensor among the values that a module returned.

    For named outputs, in a mapping, a dataclass or an object with `logits`, it is the logits, else
    the first tensor. For a tuple or list it is the first entry. Other values are returned as is.

    Raises
    ------
    InputError
        If the module returned an empty dict.
    """
    if isinstance(outputs, Tensor):
        return outputs
    if isinstance(outputs, Mapping):  # such as the ModelOutput of transformers
        if not outputs:
            raise InputError(
                "The module returns an empty dict; it must return its outputs.",
                code="module.no_outputs",
            )
        tensors = (value for value in outputs.values() if isinstance(value, Tensor))
        return outputs["logits"] if "logits" in outputs else next(tensors, outputs)
    if isinstance(getattr(outputs, "logits", None), Tensor):
        return outputs.logits
    if is_dataclass(outputs) and not isinstance(outputs, type):
        values = [getattr(outputs, field.name) for field in fields(outputs)]
        return next((value for value in values if isinstance(value, Tensor)), outputs)
    if isinstance(outputs, tuple | list) and outputs and isinstance(outputs[0], Tensor):
        return outputs[0]
    return outputs


def layout_inputs(inputs: Any, *, channels_last: bool) -> Batch:
    """Return a module's inputs as a batch, optionally in channels-last memory format."""
    return Batch.in_channels_last(inputs) if channels_last else Batch.of(inputs)


def layout_weights(weights: Mapping[str, Tensor], *, channels_last: bool) -> dict[str, Tensor]:
    """Return `weights`, optionally in channels-last memory format."""
    return {n: to_channels_last(w) if channels_last else w for n, w in weights.items()}


def to_channels_last(tensor: Tensor) -> Tensor:
    """Return a four-dimensional `tensor` in channels-last memory format; others unchanged.

    With one channel both formats are identical in memory. PyTorch distinguishes them by strides
    alone, so the strides are set explicitly to select the faster convolutions.
    """
    if tensor.ndim != 4:
        return tensor
    tensor = tensor.contiguous(memory_format=torch.channels_last)
    _, channels, height, width = tensor.shape
    strides = (height * width * channels, 1, width * channels, channels)
    return tensor.as_strided(tensor.shape, strides)


def memory_order(tensor: Tensor) -> tuple[int, ...] | None:
    """Return the axes of a dense `tensor` from slowest to fastest, or None if it is contiguous."""
    if tensor.stride() == torch.empty(tensor.shape, device="meta").stride():
        return None
    return tuple(sorted(range(tensor.ndim), key=lambda axis: -tensor.stride()[axis]))


def in_memory_order(tensor: Tensor, order: tuple[int, ...] | None) -> Tensor:
    """Return `tensor` with its axes in the given order in memory. It is differentiable."""
    if order is None or len(order) != tensor.ndim:
        return tensor
    inverse = [order.index(axis) for axis in range(tensor.ndim)]
    return tensor.permute(order).contiguous().permute(inverse)
