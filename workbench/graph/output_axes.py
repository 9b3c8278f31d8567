"""Which axes of a module's weights count outputs and inputs: seen while it runs once.

Names of layers do not tell: modules hold weights of their own, and multiply with them as they
like. The products do: each is followed back, element by element, to the weight that it multiplies
with, through views, copies, conversions and what else is computed of weights alone.
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

Places = dict[str, list[Tensor]]
"""Where the elements of a tensor come from: by weight, for each of its axes the number along it.

Each is int64 of the tensor's shape.
"""


@dataclass(frozen=True)
class _Use:
    """How an operation multiplies with its argument number `at`: the roles of its axes.

    `by` is the number of the argument that it is multiplied with. All other axes are those of a
    kernel.
    """

    at: int
    by: int
    outputs: tuple[int, ...]
    inputs: tuple[int, ...]


def _products(first: int, batched: bool) -> tuple[_Use, _Use]:
    """Return the uses of two matrices, the `first` argument and the next one."""
    left, right = ((0, 1), (0, 2)) if batched else ((0,), (1,))
    return (
        _Use(first, first + 1, left, (1 + batched,)),
        _Use(first + 1, first, right, (int(batched),)),
    )


USES: dict[Any, tuple[_Use, ...]] = {
    aten.mm: _products(0, batched=False),
    aten.addmm: _products(1, batched=False),
    aten.bmm: _products(0, batched=True),
    aten.baddbmm: _products(1, batched=True),
    aten.mv: (_Use(0, 1, (0,), (1,)),),
    aten.addmv: (_Use(1, 2, (0,), (1,)),),
    aten.convolution: (_Use(1, 0, (0,), (1,)),),
    aten.conv_tbc: (_Use(1, 0, (2,), (1,)),),
    aten.embedding: (_Use(0, 1, (0,), (1,)),),
}
"""What multiplies with weights. An embedding has a row for each entry."""
TRANSPOSED = _Use(1, 0, (0, 2), (1,))
"""A transposed convolution, the first axis of whose weights is cut into groups and inputs."""
MOVES = {
    *(aten.t, aten.transpose, aten.permute, aten.detach, aten.alias),
    *(aten.unsqueeze, aten.squeeze, aten.expand, aten.repeat, aten.flip, aten.roll),
    *(aten.select, aten.slice, aten.split, aten.split_with_sizes, aten.unbind),
    *(aten.index, aten.index_select, aten.diagonal, aten.unfold),
}
"""What moves or chooses elements, whatever they are."""
TURNS = {aten.t, aten.transpose, aten.permute, aten.detach, aten.alias}
"""Those of them that choose nothing."""
RESHAPES = {aten.view.default, aten._unsafe_view.default, aten._reshape_alias.default}  # noqa: SLF001 - PyTorch's names
"""What moves elements that lie in order: numbers that are views themselves may not."""
KEEPS = {
    *(aten.clone, aten._to_copy, aten._weight_norm_interface, aten.tril, aten.triu),  # noqa: SLF001 - PyTorch's names
    *(aten._softmax, aten._log_softmax),  # noqa: SLF001
}
"""What leaves elements where they are, beside what computes each by itself."""


def weight_axes(
    module: nn.Module, weights: Mapping[str, Tensor], inputs: Any, names: Collection[str]
) -> dict[str, Axes]:
    """Return the axes of those weights called `names` that are turned before they are compressed.

    `module`, which calls each of its layers, runs once with `weights` on a few examples, `inputs`.
    A weight that is used in two ways is left as it is. Of one that no product shows, as where an
    operation multiplies within, the class of its layer decides.
    """
    found = _by_class(module, weights, names)
    uses = _Uses({name: weights[name] for name in names}, [*weights.values(), *module.buffers()])
    try:
        with torch.no_grad(), uses:
            call(module, weights, inputs)
    except Exception as error:  # noqa: BLE001 - a module may do anything
        log.info("the products of %s are not followed: %s", type(module).__name__, error)
        return found
    seen = {name: ways.pop() if len(ways) == 1 else None for name, ways in uses.found.items()}
    return {name: axes for name, axes in (found | seen).items() if axes is not None}


def _by_class(
    module: nn.Module, weights: Mapping[str, Tensor], names: Collection[str]
) -> dict[str, Axes]:
    found = {}
    for name in names:
        path, _, leaf = name.rpartition(".")
        layer = module.get_submodule(path)
        axes = next((of(layer) for kind, of in CLASSES.items() if isinstance(layer, kind)), None)
        if leaf == "weight" and axes is not None and not is_canonical(axes, weights[name].shape):
            found[name] = axes
    return found


def _of_transposed(layer: Any) -> Axes:
    return Axes((1,), (0,), layer.groups)


CLASSES: dict[type[nn.Module], Callable[[Any], Axes]] = {
    nn.ConvTranspose1d: _of_transposed,
    nn.ConvTranspose2d: _of_transposed,
    nn.ConvTranspose3d: _of_transposed,
}
"""The axes of the weights of layers that the run does not reach."""


class _Uses(TorchDispatchMode):
    """Sees in which ways the operations inside multiply with `weights`.

    `constants` are the tensors that do not depend on the inputs. `found` are the ways by name, None
    where a tensor is compressed as it is.
    """

    def __init__(self, weights: Mapping[str, Tensor], constants: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: dict[str, set[Axes | None]] = {}
        self._shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
        self._constants = {id(tensor): tensor for tensor in constants}  # held: ids are used again
        self._joined: set[int] = set()  # what weights were concatenated to
        self._changed: set[int] = set()  # storages of constants that inputs were written to
        self._places: dict[int, Places] = {
            id(weight): {name: _numbers(weight.shape)} for name, weight in weights.items()
        }

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        outputs = function(*args, **(kwargs or {}))
        given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        if all(map(self._is_constant, given)):
            self._follow(function, args, kwargs or {}, given, outputs)
        else:
            self._note(function, args)
            written = [one for one in _written(function, args) if id(one) in self._constants]
            self._changed |= set(map(_storage, written))
        return outputs

    def _is_constant(self, tensor: Tensor) -> bool:
        return id(tensor) in self._constants and _storage(tensor) not in self._changed

    def _follow(
        self, function: Any, args: Any, kwargs: Any, given: list[Tensor], outputs: Any
    ) -> None:
        """Note where the elements of `outputs` come from, which depend on constants alone."""
        results = outputs if isinstance(outputs, tuple | list) else [outputs]
        tensors = [one for one in results if isinstance(one, Tensor)]
        self._constants |= {id(one): one for one in tensors}
        if function.overloadpacket is aten.cat:
            self._join(args[0], tensors[0])
        elif function.overloadpacket in MOVES or function in RESHAPES:
            if id(args[0]) in self._joined and function.overloadpacket not in TURNS:
                return  # numbers of a part do not tell what is chosen of the whole
            self._joined |= {id(one) for one in tensors if id(args[0]) in self._joined}
            move = Tensor.reshape if function in RESHAPES else function
            for name, places in self._places.get(id(args[0]), {}).items():
                moved = [move(axis, *args[1:], **kwargs) for axis in places]
                columns = zip(*moved, strict=True) if isinstance(outputs, tuple | list) else [moved]
                for result, column in zip(tensors, columns, strict=True):
                    self._places.setdefault(id(result), {})[name] = list(column)
        elif torch.Tag.pointwise in function.tags or function.overloadpacket in KEEPS:
            for one in given:
                for result in tensors:
                    if result.shape == one.shape and id(one) in self._places:
                        self._places.setdefault(id(result), {}).update(self._places[id(one)])

    def _join(self, parts: Iterable[Tensor], joined: Tensor) -> None:
        """Note what weights are concatenated: each keeps the numbers of its own part."""
        for part in parts:
            self._places.setdefault(id(joined), {}).update(self._places.get(id(part), {}))
        self._joined.add(id(joined))

    def _note(self, function: Any, args: Any) -> None:
        """Note how an operation on the inputs uses the weights, if it multiplies with any."""
        uses = USES.get(function.overloadpacket, ())
        for use in uses:
            transposed = function.overloadpacket is aten.convolution and args[6]
            if not self._is_constant(args[use.at]) or self._is_constant(args[use.by]):
                continue
            for name, places in self._places.get(id(args[use.at]), {}).items():
                if transposed:
                    groups = args[8]
                    cut = [axis.unflatten(0, (groups, -1)) for axis in places]
                    axes = _axes(cut, TRANSPOSED)
                else:
                    axes = _axes(places, use)
                usual = axes is None or is_canonical(axes, self._shapes[name])
                self.found.setdefault(name, set()).add(None if usual else axes)


def _numbers(shape: torch.Size) -> list[Tensor]:
    """Return for each axis of a tensor the number along it of every element; views, nearly free."""
    return [
        torch.arange(size).view(-1, *[1] * (len(shape) - 1 - axis)).expand(shape)
        for axis, size in enumerate(shape)
    ]


def _axes(places: list[Tensor], use: _Use) -> Axes | None:
    """Return which axes of a weight count outputs and inputs, None where they are mixed.

    `places` are those of the elements of the tensor that is multiplied with. An axis along which
    it does not extend, as where one of several matrices was chosen, counts outputs.
    """
    outputs, inputs, cut = [], [], []
    for axis, numbers in enumerate(places):
        along = set(_varying(numbers))
        if along <= {*use.outputs}:
            outputs.append(axis)
        elif along <= {*use.inputs}:
            inputs.append(axis)
        elif along & {*use.outputs, *use.inputs}:
            cut.append((axis, along))
    if not cut:
        return Axes(tuple(outputs), tuple(inputs))
    if len(cut) > 1:
        return None
    ((axis, along),) = cut
    groups = _groups(places[axis], along, use)
    return None if groups is None else Axes(tuple(outputs), (axis, *inputs), groups)


def _varying(numbers: Tensor) -> Iterator[int]:
    """Yield the axes of `numbers` along which they are not the same."""
    for axis, stride in enumerate(numbers.stride()):
        if stride == 0 or numbers.shape[axis] == 1:
            continue
        spread = [axis == other or stride != 0 for other, stride in enumerate(numbers.stride())]
        some = numbers[tuple(slice(None) if kept else slice(0, 1) for kept in spread)]
        if bool((some != some.narrow(axis, 0, 1)).any()):
            yield axis


def _groups(numbers: Tensor, broadcast: set[int], use: _Use) -> int | None:
    """Return into how many parts an axis is cut that runs along outputs and inputs.

    None where it is not parts of equal length, one after the other.
    """
    parts, within = sorted(broadcast & {*use.outputs}), sorted(broadcast & {*use.inputs})
    if broadcast != {*parts, *within} or len(parts) != 1 or len(within) != 1:
        return None
    count, length = numbers.shape[parts[0]], numbers.shape[within[0]]
    found = numbers.movedim((parts[0], within[0]), (-2, -1)).reshape(-1, count, length)
    wanted = torch.arange(count * length).view(1, count, length)
    return count if bool((found == wanted).all()) else None


def _written(function: Any, args: Any) -> Iterator[Tensor]:
    """Yield the tensors that an operation writes to."""
    for argument, given in zip(function._schema.arguments, args, strict=False):  # noqa: SLF001 - has no public name
        info = argument.alias_info
        if info is not None and info.is_write and isinstance(given, Tensor):
            yield given


def _storage(tensor: Tensor) -> int:
    if tensor.layout != torch.strided:  # it has no storage of its own, and no views
        return id(tensor)
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - views have no other name in common
