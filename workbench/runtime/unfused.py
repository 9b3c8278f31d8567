"""Disable the fused kernels of transformers, so that every layer is called.

In eval mode PyTorch runs an `nn.TransformerEncoderLayer` as one kernel that reads the weights of
its layers without calling them, and `nn.TransformerEncoder` packs padded sequences for it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


def unfuse(module: nn.Module) -> nn.Module:
    """Make a private `module` call each of its layers, with equal outputs, and return it."""
    for layer in module.modules():
        if isinstance(layer, nn.TransformerEncoderLayer):
            layer.register_forward_pre_hook(_no_op)  # PyTorch does not fuse layers with hooks
        elif isinstance(layer, nn.TransformerEncoder) and getattr(
            layer, "use_nested_tensor", False
        ):
            setattr(layer, "forward", partial(_padded, layer, layer.forward))  # noqa: B010 - a method
    return module


def restore_fusion(module: nn.Module) -> nn.Module:
    """Undo `unfuse` on a private `module`, and return it."""
    for layer in module.modules():
        hooks = layer._forward_pre_hooks  # noqa: SLF001 - has no public name
        for key in [key for key, hook in hooks.items() if hook is _no_op]:
            del hooks[key]
        if isinstance(layer, nn.TransformerEncoder) and isinstance(
            vars(layer).get("forward"), partial
        ):
            del layer.forward
    return module


def _no_op(_layer: nn.Module, _inputs: Any) -> None:
    """Do nothing."""


def _padded(
    encoder: nn.TransformerEncoder,
    forward: Any,
    src: Tensor,
    mask: Tensor | None = None,
    src_key_padding_mask: Tensor | None = None,
    is_causal: bool | None = None,
) -> Tensor:
    """Run `encoder` on padded sequences with the outputs of packed ones: zero for padding."""
    if not _would_pack(encoder, src, mask, src_key_padding_mask):
        encoder.use_nested_tensor = False
        try:
            outputs: Tensor = forward(src, mask, src_key_padding_mask, is_causal)
        finally:
            encoder.use_nested_tensor = True
        return outputs
    assert src_key_padding_mask is not None
    padding = _boolean_mask(src_key_padding_mask)
    output = src
    for layer in encoder.layers:
        output = layer(output, src_key_padding_mask=src_key_padding_mask)
    output = output.masked_fill(padding.unsqueeze(-1), 0.0)
    return output if encoder.norm is None else encoder.norm(output)


def _would_pack(
    encoder: nn.TransformerEncoder, src: Tensor, mask: Tensor | None, padding: Tensor | None
) -> bool:
    """Return whether PyTorch would pack the sequences for `encoder`."""
    if padding is None or mask is not None or encoder.layers[0].training or src.ndim != 3:
        return False
    if not torch.backends.mha.get_fastpath_enabled() or torch.is_autocast_enabled():
        return False
    differentiable = any(tensor.requires_grad for tensor in (src, *encoder.layers[0].parameters()))
    if torch.is_grad_enabled() and differentiable:
        return False
    checks = getattr(encoder, "mask_check", True)
    valid = ~_boolean_mask(padding)
    return not checks or bool(torch._nested_tensor_from_mask_left_aligned(src, valid))  # noqa: SLF001 - the test that PyTorch uses


def _boolean_mask(padding: Tensor) -> Tensor:
    """Return the padding mask as bool. A float mask is minus infinity at padding."""
    return padding if padding.dtype == torch.bool else padding < 0
