"""Training mode that leaves frozen batch norms in evaluation mode."""

from __future__ import annotations

from torch import nn

from workbench.runtime.batch_norm import is_frozen


def train_mode(module: nn.Module) -> nn.Module:
    """Put `module` into training mode, except for frozen batch norms, and return it.

    A batch norm is frozen if its parameters do not require gradients. Its statistics stay fixed.
    """
    module.train()
    for layer in module.modules():
        norm = isinstance(layer, nn.modules.batchnorm._NormBase)  # noqa: SLF001 - has no public name
        if norm and is_frozen(layer):
            layer.eval()
    return module
