"""Batch norm measured again: its means and variances no longer fit once weights have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from workbench.runtime.batch import tensors_in


def tracking_norms(module: nn.Module) -> dict[str, _BatchNorm]:
    """Return the batch norms of `module` that keep running statistics, by path."""
    return {
        path: norm
        for path, norm in module.named_modules()
        if isinstance(norm, _BatchNorm) and norm.running_mean is not None
    }


def is_frozen(norm: nn.Module) -> bool:
    """Return whether a layer has parameters, none of which requires gradients."""
    own = [*norm.parameters(recurse=False)]
    return bool(own) and not any(parameter.requires_grad for parameter in own)


def recalibrate_norms(
    module: nn.Module,
    portions: Iterable[Any],
    forward: Callable[[Any], object],
    *,
    frozen: bool = True,
) -> frozenset[str]:
    """Set the running statistics of `module` to the mean over `portions`, each run `forward`.

    A norm that runs several times in a pass gets the mean over all its runs. Only batch norm is in
    training mode meanwhile, so that dropout and the like do nothing; a run with one value in each
    channel, which has no variance, is passed over. Without `frozen`, norms whose parameters do not
    require gradients keep their statistics. `forward` may raise to stop; modes and momentum are
    left as they were.

    Returns
    -------
    frozenset of str
        The paths of the norms that were measured.
    """
    norms = {p: n for p, n in tracking_norms(module).items() if frozen or not is_frozen(n)}
    runs: Counter[str] = Counter()

    def before(path: str) -> Callable[..., None]:
        def hook(norm: _BatchNorm, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            inputs = next(tensors_in((given, named)))
            norm.training = inputs.numel() > inputs.shape[1]
            runs[path] += norm.training
            norm.momentum = 1 / max(1, runs[path])

        return hook

    modes = [(child, child.training) for child in module.modules()]
    momenta = [(norm, norm.momentum) for norm in norms.values()]
    handles = [
        norm.register_forward_pre_hook(before(path), with_kwargs=True)
        for path, norm in norms.items()
    ]
    try:
        for child, _ in modes:
            child.training = False
        for chosen in portions if norms else ():
            with torch.no_grad():
                forward(chosen)
    finally:
        for handle in handles:
            handle.remove()
        for child, training in modes:
            child.training = training
        for norm, momentum in momenta:
            norm.momentum = momentum
    return frozenset(path for path, count in runs.items() if count)
