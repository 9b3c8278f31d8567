"""Batch norm: recompute running statistics, which no longer fit after weights have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from workbench.runtime.nested import tensors_in


def tracking_norms(module: nn.Module) -> dict[str, _BatchNorm]:
    """Return the batch norms of `module` that track running statistics, by path."""
    return {
        path: norm
        for path, norm in module.named_modules()
        if isinstance(norm, _BatchNorm) and norm.running_mean is not None
    }


def is_frozen(norm: nn.Module) -> bool:
    """Return whether a layer has parameters, none of which requires gradients."""
    parameters = [*norm.parameters(recurse=False)]
    return bool(parameters) and not any(p.requires_grad for p in parameters)


def recalibrate_norms(
    module: nn.Module,
    batches: Iterable[Any],
    forward: Callable[[Any], object],
    *,
    frozen: bool = True,
) -> frozenset[str]:
    """Set the running statistics of batch norms to the mean over `batches`.

    A norm that runs several times per pass gets the mean over all its runs. Only batch norms are in
    training mode, so dropout is inactive. A run with one value per channel has no variance and is
    skipped. Training flags and momentum are restored afterwards, also if `forward` raises.

    Parameters
    ----------
    module
        The module whose buffers are written.
    batches
        The arguments for `forward`.
    forward
        Runs the module on one batch.
    frozen
        Whether to include norms whose parameters do not require gradients.

    Returns
    -------
    frozenset of str
        Paths of the norms that were recomputed.
    """
    norms = {p: n for p, n in tracking_norms(module).items() if frozen or not is_frozen(n)}
    runs: Counter[str] = Counter()

    def before(path: str) -> Callable[..., None]:
        def hook(norm: _BatchNorm, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            inputs = next(tensors_in((args, kwargs)))
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
        for batch in batches if norms else ():
            with torch.no_grad():
                forward(batch)
    finally:
        for handle in handles:
            handle.remove()
        for child, training in modes:
            child.training = training
        for norm, momentum in momenta:
            norm.momentum = momentum
    return frozenset(path for path, count in runs.items() if count)
