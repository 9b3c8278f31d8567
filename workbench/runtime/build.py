"""From a model's own module to the module that a file needs."""

from __future__ import annotations

import torch
from torch import nn

from workbench.artifact.module_spec import ModuleSpec
from workbench.errors import ArtifactError
from workbench.runtime.integer_layers import use_integer_inputs
from workbench.runtime.layer_sizes import track_all_sizes
from workbench.runtime.unfused import unfuse

PRODUCT_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
"""The kinds of layers that multiply: their inputs can be rounded."""
TRANSPOSED_CONVOLUTIONS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
FOLD_TARGETS = (*PRODUCT_LAYERS, nn.Conv3d, *TRANSPOSED_CONVOLUTIONS)
"""The kinds of layers that a norm can be folded into."""
FOLDABLE_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
"""The kinds of norms that can be folded into one of those."""


def apply_spec(module: nn.Module, form: ModuleSpec) -> nn.Module:
    """Change `module`, which is nobody else's, into the one that `form` describes, and return it.

    Where channels are gone, layers take their sizes from the weights they are lent.

    Raises
    ------
    ArtifactError
        When the form names a layer that is not there or not of the right kind.
    """
    for norm, layer in form.folded:
        target, gone = _found(module, layer, FOLD_TARGETS), _found(module, norm, FOLDABLE_NORMS)
        assert isinstance(target, FOLD_TARGETS)
        assert isinstance(gone, FOLDABLE_NORMS)
        if target.bias is None:
            target.register_parameter("bias", nn.Parameter(torch.empty(gone.num_features)))
        _replace(module, norm, nn.Identity())
    if form.narrowed:
        track_all_sizes(module)
    for path, grid in form.inputs:
        use_integer_inputs(_layer(module, path), grid)
    return unfuse(module) if form.inputs or form.narrowed else module


def is_standard_layer(
    layer: nn.Module, kinds: tuple[type[nn.Module], ...] = PRODUCT_LAYERS
) -> bool:
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
    found = _found(module, path, PRODUCT_LAYERS)
    assert isinstance(found, PRODUCT_LAYERS)
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
