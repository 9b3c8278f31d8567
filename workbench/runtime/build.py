"""From a model's own module to the module that a file needs."""

from __future__ import annotations

import torch
from torch import nn

from workbench.artifact.module_spec import Form
from workbench.errors import ArtifactError
from workbench.runtime.integer_layers import on_integers
from workbench.runtime.layer_sizes import follow_all
from workbench.runtime.unfused import unfused

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
"""The kinds of layers that multiply: their inputs can be rounded."""
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
TAKES_NORMS = (*LAYERS, nn.Conv3d, *TRANSPOSED)
"""The kinds of layers that a norm can be folded into."""
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
"""The kinds of norms that can be folded into one of those."""


def rewrite(module: nn.Module, form: Form) -> nn.Module:
    """Change `module`, which is nobody else's, into the one that `form` describes, and return it.

    Where channels are gone, layers take their sizes from the weights they are lent.

    Raises
    ------
    ArtifactError
        When the form names a layer that is not there or not of the right kind.
    """
    for norm, layer in form.folded:
        target, gone = _found(module, layer, TAKES_NORMS), _found(module, norm, NORMS)
        assert isinstance(target, TAKES_NORMS)
        assert isinstance(gone, NORMS)
        if target.bias is None:
            target.register_parameter("bias", nn.Parameter(torch.empty(gone.num_features)))
        _replace(module, norm, nn.Identity())
    if form.narrowed:
        follow_all(module)
    for path, grid in form.inputs:
        on_integers(_layer(module, path), grid)
    return unfused(module) if form.inputs or form.narrowed else module


def computes_as_named(layer: nn.Module, kinds: tuple[type[nn.Module], ...] = LAYERS) -> bool:
    """Return whether `layer` is of one of `kinds` and its outputs are what that class computes.

    Derived classes and forward hooks may do more.
    """
    kind = next((kind for kind in kinds if isinstance(layer, kind)), None)
    if kind is None or layer._forward_hooks:  # noqa: SLF001 - has no public name
        return False
    own = [getattr(type(layer), name, None) for name in ("forward", "_conv_forward")]
    return "forward" not in vars(layer) and own == [
        getattr(kind, name, None) for name in ("forward", "_conv_forward")
    ]


def _layer(module: nn.Module, path: str) -> nn.Linear | nn.Conv1d | nn.Conv2d:
    found = _found(module, path, LAYERS)
    assert isinstance(found, LAYERS)
    return found


def _found(module: nn.Module, path: str, kinds: tuple[type[nn.Module], ...]) -> nn.Module:
    try:
        found = module.get_submodule(path)
    except AttributeError:
        found = module
    if not path or not isinstance(found, kinds):
        raise ArtifactError(f"The file rewrites {path!r}, which its model does not have.")
    return found


def _replace(module: nn.Module, path: str, new: nn.Module) -> None:
    """Put `new` in the place of a layer, under all names that it has."""
    old = module.get_submodule(path)
    for parent in [*module.modules()]:
        for name, child in parent._modules.items():  # noqa: SLF001 - named_children skips repeats
            if child is old:
                setattr(parent, name, new)
