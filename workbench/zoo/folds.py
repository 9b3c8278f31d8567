"""Which batch norms of a model may become part of the layer before them: still to be proved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workbench.caches import Cache
from workbench.compression.fold import Fold
from workbench.zoo.batch import Batch, call
from workbench.zoo.builtin import Model
from workbench.zoo.rewrite import NORMS, TAKES_NORMS, TRANSPOSED
from workbench.zoo.shell import shell
from workbench.zoo.unheard import tensors_in

STATISTICS = ("running_mean", "running_var")
AFFINE = ("weight", "bias")

_found: Cache[tuple[Fold, ...]] = Cache(64)


def folds(model: Model, weights: Mapping[str, Tensor], inputs: Batch) -> tuple[Fold, ...]:
    """Return the batch norms that get the memory that a layer has written, in order of execution.

    Found by running `model` with `weights` once. Layers whose weight is used more than once, norms
    that run more than once, and tensors that go by two names are left out. What else happens to a
    layer's outputs is not known: whether a norm can be folded has to be tried.
    """
    module = model.module()
    tied = tied_names(module)
    watch = _Watch()
    runs: Counter[str] = Counter()
    met: dict[str, str] = {}

    def before(path: str) -> Callable[..., None]:
        def hook(_norm: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            runs[path] += 1
            layer = watch.maker(next(tensors_in((given, named))))
            if layer is not None:
                met[path] = layer

        return hook

    def begin(_module: nn.Module, _given: Any) -> None:  # its weights are lent to it by now
        watch.names = {
            id(layer.weight): path
            for path, layer in module.named_modules()
            if isinstance(layer, TAKES_NORMS) and f"{path}.weight" in weights
        }

    for path, child in module.named_modules():
        if isinstance(child, NORMS):
            child.register_forward_pre_hook(before(path), with_kwargs=True)
    module.register_forward_pre_hook(begin)
    with torch.no_grad(), watch:
        call(module, weights, inputs)
    found = []
    for norm, layer in met.items():
        one = _fold(module, norm, layer)
        single = runs[norm] == 1 and watch.uses[layer] == 1
        if single and _has_own_tensors(module, one, weights, tied) and _fits(one, weights):
            found.append(one)
    return tuple(found)


def has_norms(model: Model) -> bool:
    """Whether `model` has batch norm of a kind that can be folded."""
    return any(isinstance(child, NORMS) for child in shell(model).module.modules())


def tied_names(module: nn.Module) -> frozenset[str]:
    """Return the names of the parameters and buffers that go by more than one."""
    names: dict[int, list[str]] = {}
    for kind in (module.named_parameters, module.named_buffers):
        for name, tensor in kind(remove_duplicate=False):
            names.setdefault(id(tensor), []).append(name)
    return frozenset(name for some in names.values() if len(some) > 1 for name in some)


class _Watch(TorchFunctionMode):
    """Notes every use of a layer's weight, and the memory that the results of it lie in.

    Modules that read a layer's weight themselves are seen too, which hooks on the layer do not do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: Mapping[int, str] = {}
        self.uses: Counter[str] = Counter()
        self._makers: dict[int, str] = {}
        self._alive: list[Tensor] = []  # an address belongs to one tensor only while it lives

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        results = func(*args, **(kwargs or {}))
        made = [*tensors_in(results)]
        used = [self.names[id(t)] for t in tensors_in((args, kwargs)) if id(t) in self.names]
        if made:  # else it asked for a shape or a dtype
            self.uses.update(used)
            self._alive += made if used else []
            self._makers |= {_address(one): path for path in used for one in made}
        return results

    def maker(self, tensor: Tensor) -> str | None:
        """Return the path of the layer whose result lies where `tensor` does, or has lain."""
        return self._makers.get(_address(tensor))


def _fold(module: nn.Module, norm: str, layer: str) -> Fold:
    found, target = module.get_submodule(norm), module.get_submodule(layer)
    assert isinstance(found, NORMS)
    groups = target.groups if isinstance(target, TRANSPOSED) else None
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
