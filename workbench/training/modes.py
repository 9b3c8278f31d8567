"""Training mode, in which frozen layers stay as they are."""

from __future__ import annotations

from torch import nn

from workbench.runtime.batch_norm import is_frozen


def train_mode(module: nn.Module) -> nn.Module:
    """Put `module` into training mode, but for batch norms that are frozen, and return it.

    Those are the ones whose parameters do not require gradients: their statistics then stay, too.
    """
    module.train()
    for layer in module.modules():
        norm = isinstance(layer, nn.modules.batchnorm._NormBase)  # noqa: SLF001 - has no public name
        if norm and is_frozen(layer):
            layer.eval()
    return module
