"""Memory that kernels of the CPU take while they run, in addition to their outputs.

oneDNN computes convolutions in layouts of its own. From a tensor in PyTorch's standard layout it
makes a copy whose channels are in blocks, 16 with AVX-512 and 8 without, the last one padded; the
output is copied back. Tensors in channels-last layout are used in place. The sizes follow the
allocations that PyTorch's profiler shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from workbench.profiling.memory.recurrent import scratch

FEW_CHANNELS = 16
"""Below this number, inputs of a convolution without groups are read in their own layout."""
PIXELS = 3
"""Up to this number, the gradient of the weights reads the inputs in their own layout, too."""
SMALL_KERNEL = 3
"""Up to this size, oneDNN has kernels for convolutions of each channel alone."""
SMALL_INPUT = 20_480
"""Up to this many numbers, PyTorch multiplies one example as a matrix of patches instead."""


def workspace(function: Any, args: Sequence[Any], outputs: Any) -> int:
    """Return the bytes that `function` needs next to its inputs and outputs; 0 if not known."""
    if function is torch.ops.aten.convolution.default:
        return _forward(args, outputs)
    if function is torch.ops.aten.convolution_backward.default:
        return _backward(args, outputs)
    return scratch(function, args)


def _forward(args: Sequence[Any], output: Tensor) -> int:
    inputs: Tensor = args[0]
    weight: Tensor = args[1]
    groups: int = args[8]
    if _multiplies_patches(inputs, weight, groups):
        return output.element_size() * prod(output.shape[2:]) * prod(weight.shape[1:])
    if _channels_last(inputs) or _channels_last(weight):
        return _nbytes(weight)
    inside = _blocked(output)
    reads_a_copy = groups > 1 or inputs.shape[1] >= FEW_CHANNELS
    copy = _blocked(inputs) if reads_a_copy else 0
    return max(inside, copy + _nbytes(weight) + inside - _nbytes(output))


def _backward(args: Sequence[Any], outputs: Sequence[Tensor | None]) -> int:
    gradient: Tensor = args[0]
    inputs: Tensor = args[1]
    weight: Tensor = args[2]
    groups: int = args[9]
    if _multiplies_patches(inputs, weight, groups):
        return inputs.element_size() * prod(gradient.shape[2:]) * prod(weight.shape[1:])
    if _channels_last(inputs) or _channels_last(weight):
        return 2 * _nbytes(weight) + _blocked_weight(weight, groups)
    returned = sum(_nbytes(output) for output in outputs if output is not None)
    of_inputs, of_weight = (output is not None for output in outputs[:2])
    outside, inside = _blocked(gradient), _blocked(inputs)
    peak = 0
    if of_inputs:
        peak = max(outside + _nbytes(weight) + inside, inside + _nbytes(inputs))
    if of_weight:
        copy = inside if groups > 1 or inputs.shape[1] > PIXELS else 0
        gradients = _nbytes(inputs) if of_inputs else 0
        peak = max(peak, gradients + outside + copy + _nbytes(weight))
    return max(0, peak - returned)


def _multiplies_patches(inputs: Tensor, weight: Tensor, groups: int) -> bool:
    """Return whether PyTorch leaves a convolution of one small example to a matrix product."""
    large_kernel = all(size > SMALL_KERNEL for size in weight.shape[2:])
    return (
        inputs.shape[0] == 1
        and groups == 1
        and not large_kernel
        and (inputs.numel() <= SMALL_INPUT)
    )


def _blocked(tensor: Tensor) -> int:
    """Return the bytes of a tensor [n, c, …] with its channels in blocks."""
    examples, channels, *places = tensor.shape
    return tensor.element_size() * examples * _padded(channels) * prod(places)


def _blocked_weight(weight: Tensor, groups: int) -> int:
    """Return the bytes of a weight [out, in / groups, …] with the channels of each group padded."""
    outputs, inputs, *kernel = weight.shape
    if inputs == 1 and groups > 1 and max(kernel) <= SMALL_KERNEL:
        return _nbytes(weight)
    padded = groups * _padded(outputs // groups) * _padded(inputs) * prod(kernel)
    return weight.element_size() * padded


def _padded(channels: int) -> int:
    block = 16 if "512" in torch.backends.cpu.get_cpu_capability() else 8
    return -(-channels // block) * block


def _channels_last(tensor: Tensor) -> bool:
    return (
        tensor.ndim == 4
        and not tensor.is_contiguous()
        and tensor.is_contiguous(memory_format=torch.channels_last)
    )


def _nbytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
