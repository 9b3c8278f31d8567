"""Find batch norms that may be folded into the preceding layer, before a numerical check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workbench.compression.fold_norms import Fold
from workbench.domain.model import Model
from workbench.runtime.batch import Batch, call
from workbench.runtime.build import FOLD_TARGETS, is_standard_layer
from workbench.runtime.layer_sizes import BATCH_NORMS, TRANSPOSED_CONVOLUTIONS
from workbench.runtime.nested import tensors_in
from workbench.runtime.shell import shell
from workbench.runtime.unfused import unfuse

STATISTICS = ("running_mean", "running_var")
AFFINE = ("weight", "bias")


def foldable_norms(model: Model, weights: Mapping[str, Tensor], inputs: Batch) -> tuple[Fold, ...]:
    """Return the batch norms that are the only consumer of a layer's outputs.

    They are in execution order, found by running `model` with `weights` once. Layers and norms are
    omitted if their tensors are tied, used more than once, or used by user code. Computations that
    bypass PyTorch's functions are not seen, so each fold must still be verified numerically.
    """
    module = unfuse(model.module())
    tied = tied_names(module)
    usage = _UsageRecorder()
    producers: dict[str, str] = {}

    def before(path: str) -> Callable[..., None]:
        def hook(_norm: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            layer = usage.producer(next(tensors_in((args, kwargs))))
            if layer is not None:
                producers[path] = layer

        return hook

    def begin(_module: nn.Module, _args: Any) -> None:  # the weights are swapped in by now
        usage.names = {
            id(tensor): path
            for path, child in module.named_modules()
            if is_standard_layer(child, (*FOLD_TARGETS, *BATCH_NORMS))
            for name, tensor in (*child._parameters.items(), *child._buffers.items())  # noqa: SLF001
            if f"{path}.{name}" in weights
        }

    for path, child in module.named_modules():
        if is_standard_layer(child, BATCH_NORMS):
            child.register_forward_pre_hook(before(path), with_kwargs=True)
    module.register_forward_pre_hook(begin)
    with torch.no_grad(), usage:
        call(module, weights, inputs)
    folds = (
        _fold(module, norm, layer)
        for norm, layer in producers.items()
        if usage.consumers[layer] == usage.uses[layer] == usage.uses[norm] == 1
    )
    return tuple(
        fold
        for fold in folds
        if _has_untied_tensors(module, fold, weights, tied) and _sizes_match(fold, weights)
    )


def has_foldable_norms(model: Model) -> bool:
    """Return whether `model` has batch norms of a type that can be folded."""
    return any(isinstance(child, BATCH_NORMS) for child in shell(model).module.modules())


def tied_names(module: nn.Module) -> frozenset[str]:
    """Return all names of tied parameters and buffers."""
    names: dict[int, list[str]] = {}
    for kind in (module.named_parameters, module.named_buffers):
        for name, tensor in kind(remove_duplicate=False):
            names.setdefault(id(tensor), []).append(name)
    return frozenset(name for group in names.values() if len(group) > 1 for name in group)


class _UsageRecorder(TorchFunctionMode):
    """Records every use of the tensors of layers and norms, and of the outputs of layers.

    Unlike hooks, it also sees code that reads the weight of a layer directly.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: Mapping[int, str] = {}
        self.uses: Counter[str] = Counter()
        """The number of function calls that used tensors of a layer or norm, by its path."""
        self.consumers: Counter[str] = Counter()
        """The number of function calls that took the outputs of a layer, by its path."""
        self._outputs: dict[int, tuple[str, Tensor, int]] = {}
        """A layer's path, its output and the output's version, by memory address. The outputs are
        kept alive, because an address may be reused later."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        results = func(*args, **(kwargs or {}))
        outputs = {_address(tensor): tensor for tensor in tensors_in(results)}
        if not outputs:  # the call returned a shape or a dtype
            return results
        inputs = [*tensors_in((args, kwargs))]
        used = {self.names[id(tensor)] for tensor in inputs if id(tensor) in self.names}
        taken = {_address(t) for t in inputs} & self._outputs.keys() - outputs.keys()  # no views
        self.consumers.update(self._outputs[address][0] for address in taken)
        self.uses.update(used)
        for path in used:
            self._outputs |= {at: (path, t, t._version) for at, t in outputs.items()}  # noqa: SLF001
        return results

    def producer(self, tensor: Tensor) -> str | None:
        """Return the path of the layer whose output `tensor` is or views.

        Return None if there is no such layer, or the output was written to since.
        """
        path, output, version = self._outputs.get(_address(tensor), ("", tensor, -1))
        return path if output._version == version else None  # noqa: SLF001


def _fold(module: nn.Module, norm: str, layer: str) -> Fold:
    batch_norm, target = module.get_submodule(norm), module.get_submodule(layer)
    assert isinstance(batch_norm, BATCH_NORMS)
    groups = target.groups if isinstance(target, TRANSPOSED_CONVOLUTIONS) else None
    return Fold(norm, layer, batch_norm.eps, groups)


def _has_untied_tensors(
    module: nn.Module, fold: Fold, weights: Mapping[str, Tensor], tied: frozenset[str]
) -> bool:
    """Return whether all tensors of layer and norm are in `weights` and none is tied."""
    norm, layer = module.get_submodule(fold.norm), module.get_submodule(fold.layer)
    needed = [f"{fold.norm}.{name}" for name in STATISTICS]
    needed += [f"{fold.norm}.{name}" for name in AFFINE if getattr(norm, name) is not None]
    needed += [f"{fold.layer}.{name}" for name in AFFINE if getattr(layer, name) is not None]
    return all(name in weights and name not in tied for name in needed)


def _sizes_match(fold: Fold, weights: Mapping[str, Tensor]) -> bool:
    """Return whether the norm has one channel per output of the layer."""
    shape = weights[f"{fold.layer}.weight"].shape
    outputs = shape[0] if fold.transposed is None else shape[1] * fold.transposed
    return len(weights[f"{fold.norm}.running_mean"]) == outputs


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
