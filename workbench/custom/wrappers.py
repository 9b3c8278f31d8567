"""Remove wrappers from a module: those of parallel training and compilation, and pruning masks."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn.utils import prune

from workbench.errors import InputError


def unwrap(module: nn.Module) -> nn.Module:
    """Return the module inside wrappers such as `torch.compile` and `nn.DataParallel`.

    Raises
    ------
    InputError
        If it or a part of it was compiled by `torch.jit`: such code does not run on other
        weights.
    """
    for path, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            name = f"part {path!r} of the module" if path else "module"
            raise InputError(
                f"The {name} was compiled by torch.jit, so it does not run on other weights: pass "
                "the module that it was compiled from.",
                code="module.torchscript",
            )
    while True:
        inner = _inner(module)
        if inner is None:
            return module
        module = inner


def _inner(module: nn.Module) -> nn.Module | None:
    wrappers = (
        nn.DataParallel,
        nn.parallel.DistributedDataParallel,
        torch.optim.swa_utils.AveragedModel,
    )
    if isinstance(module, wrappers):
        inner: nn.Module = module.module
        return inner
    compiled = vars(module).get("_modules", {}).get("_orig_mod")
    return compiled if type(module).__name__ == "OptimizedModule" else None


def without_masks(module: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """Return `module` with the masks of `torch.nn.utils.prune` multiplied into its weights.

    The module itself is not changed. If there are masks, the result is a copy, which shares all
    other tensors, and the names of the masked weights.
    """
    masked = [
        (path, name.removesuffix("_orig"))
        for path, layer in module.named_modules()
        for name, _ in layer.named_parameters(recurse=False)
        if name.endswith("_orig") and hasattr(layer, f"{name.removesuffix('_orig')}_mask")
    ]
    if not masked:
        return module, ()
    shared: dict[int, Any] = {
        id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())
    }
    for path, name in masked:
        layer = module.get_submodule(path)
        original = layer.get_parameter(f"{name}_orig")
        shared[id(original)] = nn.Parameter(original.detach().clone(), original.requires_grad)
        current = getattr(layer, name)
        shared[id(current)] = current.detach()
    folded = copy.deepcopy(module, shared)
    for path, name in masked:
        prune.remove(folded.get_submodule(path), name)
    return folded, tuple(f"{path}.{name}".removeprefix(".") for path, name in masked)
