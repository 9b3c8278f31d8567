"""Which batch norms of a model may become part of the layer before them: still to be proved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workbench.compression.fold_norms import Fold
from workbench.domain.model import Model
from workbench.runtime.batch import Batch, call, tensors_in
from workbench.runtime.build import (
    FOLD_TARGETS,
    FOLDABLE_NORMS,
    TRANSPOSED_CONVOLUTIONS,
    is_standard_layer,
)
from workbench.runtime.shell import shell
from workbench.runtime.unfused import unfuse

STATISTICS = ("running_mean", "running_var")
AFFINE = ("weight", "bias")


def foldable_norms(model: Model, weights: Mapping[str, Tensor], inputs: Batch) -> tuple[Fold, ...]:
    """Return the batch norms that take what a layer has put out, and nobody else does.

    In order of execution, found by running `model` with `weights` once. Layers and norms whose
    tensors are used more than once, go by two names, or are used by code of the user's are left
    out. What a network computes that PyTorch's functions do not show is not known: whether a norm
    can be folded has to be tried.
    """
    module = unfuse(model.module())
    tied = tied_names(module)
    watch = _Watch()
    met: dict[str, str] = {}

    def before(path: str) -> Callable[..., None]:
        def hook(_norm: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            layer = watch.maker(next(tensors_in((given, named))))
            if layer is not None:
                met[path] = layer

        return hook

    def begin(_module: nn.Module, _given: Any) -> None:  # its weights are lent to it by now
        watch.names = {
            id(tensor): path
            for path, child in module.named_modules()
            if is_standard_layer(child, (*FOLD_TARGETS, *FOLDABLE_NORMS))
            for name, tensor in (*child._parameters.items(), *child._buffers.items())  # noqa: SLF001
            if f"{path}.{name}" in weights
        }

    for path, child in module.named_modules():
        if is_standard_layer(child, FOLDABLE_NORMS):
            child.register_forward_pre_hook(before(path), with_kwargs=True)
    module.register_forward_pre_hook(begin)
    with torch.no_grad(), watch:
        call(module, weights, inputs)
    candidates = [_fold(module, norm, layer) for norm, layer in met.items() if watch.only(layer)]
    return tuple(
        one
        for one in candidates
        if watch.uses[one.layer] == watch.uses[one.norm] == 1
        and _has_own_tensors(module, one, weights, tied)
        and _fits(one, weights)
    )


def has_foldable_norms(model: Model) -> bool:
    """Whether `model` has batch norm of a kind that can be folded."""
    return any(isinstance(child, FOLDABLE_NORMS) for child in shell(model).module.modules())


def tied_names(module: nn.Module) -> frozenset[str]:
    """Return the names of the parameters and buffers that go by more than one."""
    names: dict[int, list[str]] = {}
    for kind in (module.named_parameters, module.named_buffers):
        for name, tensor in kind(remove_duplicate=False):
            names.setdefault(id(tensor), []).append(name)
    return frozenset(name for some in names.values() if len(some) > 1 for name in some)


class _Watch(TorchFunctionMode):
    """Notes every use of the tensors of layers and norms, and of what layers have put out.

    Code that reads a layer's weight itself is seen too, which hooks on the layer do not show.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: Mapping[int, str] = {}
        self.uses: Counter[str] = Counter()
        """How many of PyTorch's functions used tensors of a layer or norm, by its path."""
        self._made: dict[int, tuple[str, Tensor, int]] = {}
        """A layer's path, its outputs and their version, by their address: they are kept alive,
        since an address belongs to one tensor only while it lives."""
        self._takers: Counter[str] = Counter()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        results = func(*args, **(kwargs or {}))
        made = {_address(one): one for one in tensors_in(results)}
        if not made:  # it asked for a shape or a dtype
            return results
        given = [*tensors_in((args, kwargs))]
        used = {self.names[id(one)] for one in given if id(one) in self.names}
        taken = {_address(one) for one in given} & self._made.keys() - made.keys()  # no mere views
        self._takers.update(self._made[address][0] for address in taken)
        self.uses.update(used)
        for path in used:
            self._made |= {at: (path, one, one._version) for at, one in made.items()}  # noqa: SLF001
        return results

    def maker(self, tensor: Tensor) -> str | None:
        """Return the path of the layer that put out `tensor`, or what it is a view of, if any.

        None where it was written to since.
        """
        path, whole, version = self._made.get(_address(tensor), ("", tensor, -1))
        return path if whole._version == version else None  # noqa: SLF001

    def only(self, layer: str) -> bool:
        """Whether one function alone took what the layer put out."""
        return self._takers[layer] == 1


def _fold(module: nn.Module, norm: str, layer: str) -> Fold:
    found, target = module.get_submodule(norm), module.get_submodule(layer)
    assert isinstance(found, FOLDABLE_NORMS)
    groups = target.groups if isinstance(target, TRANSPOSED_CONVOLUTIONS) else None
    return Fold(norm, layer, found.eps, groups)


def _has_own_tensors(
    module: nn.Module, one: Fold, weights: Mapping[str, Tensor], tied: frozenset[str]
) -> bool:
    """Whether all tensors of layer and norm are among `weights`, and nobody else's."""
    norm, layer = module.get_submodule(one.norm), module.get_submodule(one.layer)
    needed = [f"{one.norm}.{name}" for name in STATISTICS]
    needed += [f"{one.norm}.{name}" for name in AFFINE if getattr(norm, name) is not None]
    needed += [f"{one.layer}.{name}" for name in AFFINE if getattr(layer, name) is not None]
    return all(name in weights and name not in tied for name in needed)


def _fits(one: Fold, weights: Mapping[str, Tensor]) -> bool:
    """Whether the norm has a channel for each output of the layer."""
    shape = weights[f"{one.layer}.weight"].shape
    outputs = shape[0] if one.transposed is None else shape[1] * one.transposed
    return len(weights[f"{one.norm}.running_mean"]) == outputs


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
