"""Find the output and input axes of a module's weights by running the module once.

Layer types do not show them, because modules may multiply with parameters in any way. Each product
is traced back, element by element, to the weight that it multiplies with, through views, copies,
conversions and other operations on weights alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from workbench.compression.axes import Axes, is_canonical
from workbench.runtime.batch import call

log = logging.getLogger(__name__)
aten = torch.ops.aten

Origins = dict[str, list[Tensor]]
"""The origin of a tensor's elements: for each weight and each of its axes, the index along it.

Each index tensor is int64 and has the shape of the traced tensor.
"""


@dataclass(frozen=True)
class _Usage:
    """How an operation multiplies with one of its arguments: the roles of its axes.

    `argument` is the index of the weight and `other` that of the other factor. All axes that are
    neither `outputs` nor `inputs` belong to a kernel.
    """

    argument: int
    other: int
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]


def _products(first: int, batched: bool) -> tuple[_Usage, _Usage]:
    """Return the usages of the two matrices of a product, at `first` and the next argument."""
    rows, columns = ((0, 1), (0, 2)) if batched else ((0,), (1,))
    return (
        _Usage(first, first + 1, rows, (1 + batched,)),
        _Usage(first + 1, first, columns, (int(batched),)),
    )


USAGES: dict[Any, tuple[_Usage, ...]] = {
    aten.mm: _products(0, batched=False),
    aten.addmm: _products(1, batched=False),
    aten.bmm: _products(0, batched=True),
    aten.baddbmm: _products(1, batched=True),
    aten.mv: (_Usage(0, 1, (0,), (1,)),),
    aten.addmv: (_Usage(1, 2, (0,), (1,)),),
    aten.convolution: (_Usage(1, 0, (0,), (1,)),),
    aten.conv_tbc: (_Usage(1, 0, (2,), (1,)),),
    aten.embedding: (_Usage(0, 1, (0,), (1,)),),
}
"""Operations that multiply with weights. An embedding has a row for each entry."""
TRANSPOSED = _Usage(1, 0, (0, 2), (1,))
"""A transposed convolution, with the first axis of its weight split into groups and inputs."""
MOVES = {
    *(aten.t, aten.transpose, aten.permute, aten.detach, aten.alias),
    *(aten.unsqueeze, aten.squeeze, aten.expand, aten.repeat, aten.flip, aten.roll),
    *(aten.select, aten.slice, aten.split, aten.split_with_sizes, aten.unbind),
    *(aten.index, aten.index_select, aten.diagonal, aten.unfold),
}
"""Operations that move or select elements."""
PERMUTATIONS = {aten.t, aten.transpose, aten.permute, aten.detach, aten.alias}
"""Those that select nothing."""
RESHAPES = {aten.view.default, aten._unsafe_view.default, aten._reshape_alias.default}  # noqa: SLF001 - PyTorch's names
"""Views of contiguous elements. The index tensors may be views already, so they are reshaped."""
POSITION_PRESERVING = {
    *(aten.clone, aten._to_copy, aten._weight_norm_interface, aten.tril, aten.triu),  # noqa: SLF001 - PyTorch's names
    *(aten._softmax, aten._log_softmax),  # noqa: SLF001
}
"""Operations that do not move elements, in addition to pointwise ones."""


def weight_axes(
    module: nn.Module, weights: Mapping[str, Tensor], inputs: Any, names: Collection[str]
) -> dict[str, Axes]:
    """Return the axes of the weights that must be permuted before compression.

    A weight that is used in two different ways is omitted. For a weight without a traced product,
    as inside a fused operation, the class of its layer decides.

    Parameters
    ----------
    module
        A module that calls each of its layers, see `unfuse`. It runs once.
    weights
        All tensors of the module by name.
    inputs
        The inputs of a few examples.
    names
        Names of the weights to examine.
    """
    by_class = _by_class(module, weights, names)
    tracer = _UsageTracer(
        {name: weights[name] for name in names}, [*weights.values(), *module.buffers()]
    )
    try:
        with torch.no_grad(), tracer:
            call(module, weights, inputs)
    except Exception as error:  # noqa: BLE001 - user modules may fail in any way
        log.info("cannot trace the products of %s: %s", type(module).__name__, error)
        return by_class
    traced = {name: axes.pop() if len(axes) == 1 else None for name, axes in tracer.axes.items()}
    return {name: axes for name, axes in (by_class | traced).items() if axes is not None}


def _by_class(
    module: nn.Module, weights: Mapping[str, Tensor], names: Collection[str]
) -> dict[str, Axes]:
    result = {}
    for name in names:
        path, _, leaf = name.rpartition(".")
        layer = module.get_submodule(path)
        axes = next((of(layer) for kind, of in CLASSES.items() if isinstance(layer, kind)), None)
        if leaf == "weight" and axes is not None and not is_canonical(axes, weights[name].shape):
            result[name] = axes
    return result


def _transposed_axes(layer: Any) -> Axes:
    return Axes((1,), (0,), layer.groups)


CLASSES: dict[type[nn.Module], Callable[[Any], Axes]] = {
    nn.ConvTranspose1d: _transposed_axes,
    nn.ConvTranspose2d: _transposed_axes,
    nn.ConvTranspose3d: _transposed_axes,
}
"""The axes of weights by layer class, for layers that do not run."""


class _UsageTracer(TorchDispatchMode):
    """Traces how the operations inside the context multiply with `weights`.

    `constants` are the tensors that do not depend on the inputs. `axes` are the axes of each weight
    in all products, with None for those that need no permutation.
    """

    def __init__(self, weights: Mapping[str, Tensor], constants: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.axes: dict[str, set[Axes | None]] = {}
        self._shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
        self._constants = {id(tensor): tensor for tensor in constants}  # kept alive: ids are reused
        self._joined: set[int] = set()  # concatenations of weights
        self._changed: set[int] = set()  # storages of constants that inputs were written to
        self._origins: dict[int, Origins] = {
            id(weight): {name: _indices(weight.shape)} for name, weight in weights.items()
        }

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        outputs = function(*args, **(kwargs or {}))
        operands = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        if all(map(self._is_constant, operands)):
            self._follow(function, args, kwargs or {}, operands, outputs)
        else:
            self._record(function, args)
            written = [t for t in _written(function, args) if id(t) in self._constants]
            self._changed |= set(map(_storage, written))
        return outputs

    def _is_constant(self, tensor: Tensor) -> bool:
        return id(tensor) in self._constants and _storage(tensor) not in self._changed

    def _follow(
        self, function: Any, args: Any, kwargs: Any, operands: list[Tensor], outputs: Any
    ) -> None:
        """Record the origin of the elements of `outputs`, which depend on constants alone."""
        results = outputs if isinstance(outputs, tuple | list) else [outputs]
        tensors = [result for result in results if isinstance(result, Tensor)]
        self._constants |= {id(tensor): tensor for tensor in tensors}
        if function.overloadpacket is aten.cat:
            self._join(args[0], tensors[0])
        elif function.overloadpacket in MOVES or function in RESHAPES:
            if id(args[0]) in self._joined and function.overloadpacket not in PERMUTATIONS:
                return  # the indices of a part do not identify a selection of the whole
            self._joined |= {id(tensor) for tensor in tensors if id(args[0]) in self._joined}
            move = Tensor.reshape if function in RESHAPES else function
            for name, indices in self._origins.get(id(args[0]), {}).items():
                moved = [move(axis, *args[1:], **kwargs) for axis in indices]
                columns = zip(*moved, strict=True) if isinstance(outputs, tuple | list) else [moved]
                for result, column in zip(tensors, columns, strict=True):
                    self._origins.setdefault(id(result), {})[name] = list(column)
        elif torch.Tag.pointwise in function.tags or function.overloadpacket in POSITION_PRESERVING:
            for operand in operands:
                for result in tensors:
                    if result.shape == operand.shape and id(operand) in self._origins:
                        self._origins.setdefault(id(result), {}).update(self._origins[id(operand)])

    def _join(self, parts: Iterable[Tensor], joined: Tensor) -> None:
        """Record a concatenation of weights: each weight keeps the indices of its part."""
        for part in parts:
            self._origins.setdefault(id(joined), {}).update(self._origins.get(id(part), {}))
        self._joined.add(id(joined))

    def _record(self, function: Any, args: Any) -> None:
        """Record how an operation on the inputs multiplies with the weights, if it does."""
        usages = USAGES.get(function.overloadpacket, ())
        for usage in usages:
            transposed = function.overloadpacket is aten.convolution and args[6]
            if not self._is_constant(args[usage.argument]) or self._is_constant(args[usage.other]):
                continue
            for name, indices in self._origins.get(id(args[usage.argument]), {}).items():
                if transposed:
                    groups = args[8]
                    split = [axis.unflatten(0, (groups, -1)) for axis in indices]
                    axes = _axes(split, TRANSPOSED)
                else:
                    axes = _axes(indices, usage)
                is_default = axes is None or is_canonical(axes, self._shapes[name])
                self.axes.setdefault(name, set()).add(None if is_default else axes)


def _indices(shape: torch.Size) -> list[Tensor]:
    """Return for each axis of a tensor the index of every element along it, as cheap views."""
    return [
        torch.arange(size).view(-1, *[1] * (len(shape) - 1 - axis)).expand(shape)
        for axis, size in enumerate(shape)
    ]


def _axes(indices: list[Tensor], usage: _Usage) -> Axes | None:
    """Return the output and input axes of a weight, or None if they are mixed.

    `indices` are those of the factor of the product. An axis of the weight that does not vary
    within it, because one of several matrices was selected, counts as outputs.
    """
    outputs, inputs, mixed = [], [], []
    for axis, numbers in enumerate(indices):
        along = set(_varying(numbers))
        if along <= {*usage.outputs}:
            outputs.append(axis)
        elif along <= {*usage.inputs}:
            inputs.append(axis)
        elif along & {*usage.outputs, *usage.inputs}:
            mixed.append((axis, along))
    if not mixed:
        return Axes(tuple(outputs), tuple(inputs))
    if len(mixed) > 1:
        return None
    ((axis, along),) = mixed
    groups = _groups(indices[axis], along, usage)
    return None if groups is None else Axes(tuple(outputs), (axis, *inputs), groups)


def _varying(numbers: Tensor) -> Iterator[int]:
    """Yield the axes along which `numbers` vary."""
    for axis, stride in enumerate(numbers.stride()):
        if stride == 0 or numbers.shape[axis] == 1:
            continue
        stored = [axis == other or stride != 0 for other, stride in enumerate(numbers.stride())]
        subset = numbers[tuple(slice(None) if full else slice(0, 1) for full in stored)]
        if bool((subset != subset.narrow(axis, 0, 1)).any()):
            yield axis


def _groups(numbers: Tensor, along: set[int], usage: _Usage) -> int | None:
    """Return the number of groups of an axis that contains both outputs and inputs.

    Return None unless the axis consists of consecutive groups of equal length.
    """
    parts, within = sorted(along & {*usage.outputs}), sorted(along & {*usage.inputs})
    if along != {*parts, *within} or len(parts) != 1 or len(within) != 1:
        return None
    count, length = numbers.shape[parts[0]], numbers.shape[within[0]]
    actual = numbers.movedim((parts[0], within[0]), (-2, -1)).reshape(-1, count, length)
    expected = torch.arange(count * length).view(1, count, length)
    return count if bool((actual == expected).all()) else None


def _written(function: Any, args: Any) -> Iterator[Tensor]:
    """Yield the tensors that an operation writes to."""
    for argument, value in zip(function._schema.arguments, args, strict=False):  # noqa: SLF001 - has no public name
        info = argument.alias_info
        if info is not None and info.is_write and isinstance(value, Tensor):
            yield value


def _storage(tensor: Tensor) -> int:
    if tensor.layout != torch.strided:  # it has no storage and no views
        return id(tensor)
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - the only identifier that views share
