"""Training mode, in which frozen layers stay as they are."""

from __future__ import annotations

from torch import nn


def train_mode(module: nn.Module) -> nn.Module:
    """Put `module` into training mode, but for batch norms that are frozen, and return it.

    Those are the ones whose parameters do not require gradients: their statistics then stay, too.
    """
    module.train()
    for layer in module.modules():
        own = [*layer.parameters(recurse=False)]
        norm = isinstance(layer, nn.modules.batchnorm._NormBase)  # noqa: SLF001 - has no public name
        if norm and own and not any(p.requires_grad for p in own):
            layer.eval()
    return module
