"""Apply a module spec: change a model's original module to the one that a file needs."""

from __future__ import annotations

import torch
from torch import nn

from workbench.artifact.module_spec import ModuleSpec
from workbench.errors import ArtifactError
from workbench.runtime.integer_layers import use_integer_inputs
from workbench.runtime.layer_sizes import BATCH_NORMS, TRANSPOSED_CONVOLUTIONS, track_all_sizes
from workbench.runtime.unfused import unfuse

PRODUCT_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
"""The layer types whose inputs can be quantized."""
FOLD_TARGETS = (*PRODUCT_LAYERS, nn.Conv3d, *TRANSPOSED_CONVOLUTIONS)
"""The layer types that a norm can be folded into."""


def apply_spec(module: nn.Module, spec: ModuleSpec) -> nn.Module:
    """Change a private `module` as `spec` describes, and return it.

    If channels were removed, layers take their sizes from the weights that they run on.

    Raises
    ------
    ArtifactError
        If the spec names a layer that is missing or of the wrong type.
    """
    for norm, layer in spec.folded:
        target, folded = _find(module, layer, FOLD_TARGETS), _find(module, norm, BATCH_NORMS)
        assert isinstance(target, FOLD_TARGETS)
        assert isinstance(folded, BATCH_NORMS)
        if target.bias is None:
            target.register_parameter("bias", nn.Parameter(torch.empty(folded.num_features)))
        _replace(module, norm, nn.Identity())
    if spec.narrowed:
        track_all_sizes(module)
    outputs = dict(spec.outputs)
    for path, qparams in spec.inputs:
        quantized = _find(module, path, PRODUCT_LAYERS)
        assert isinstance(quantized, PRODUCT_LAYERS)
        use_integer_inputs(quantized, qparams, outputs.get(path), whole_biases=path in spec.biases)
    return unfuse(module) if spec.inputs or spec.narrowed else module


def is_standard_layer(
    layer: nn.Module, kinds: tuple[type[nn.Module], ...] = PRODUCT_LAYERS
) -> bool:
    """Return whether `layer` is of one of `kinds` and computes exactly what that class does.

    Derived classes and forward hooks may compute something else.
    """
    kind = next((kind for kind in kinds if isinstance(layer, kind)), None)
    if kind is None or layer._forward_hooks:  # noqa: SLF001 - has no public name
        return False
    return "forward" not in vars(layer) and all(
        getattr(type(layer), name, None) == getattr(kind, name, None)
        for name in ("forward", "_conv_forward")
    )


def _find(module: nn.Module, path: str, kinds: tuple[type[nn.Module], ...]) -> nn.Module:
    try:
        layer = module.get_submodule(path)
    except AttributeError:
        layer = module
    if not path or not isinstance(layer, kinds):
        raise ArtifactError(
            f"The file changes the layer {path!r}, which its model does not have.",
            code="artifact.unknown_layer",
        )
    return layer


def _replace(module: nn.Module, path: str, new: nn.Module) -> None:
    """Replace a layer by `new` under all of its names."""
    old = module.get_submodule(path)
    for parent in [*module.modules()]:
        for name, child in parent._modules.items():  # noqa: SLF001 - named_children skips repeats
            if child is old:
                setattr(parent, name, new)
