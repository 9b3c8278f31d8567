"""What the layers of a model see: the inputs of each, as the vectors that its weights multiply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.zoo.batch import call
from workbench.zoo.builtin import Model

See = Callable[[str, Tensor], None]


def watch(model: Model, weights: Mapping[str, Tensor], batch: Any, see: See) -> None:
    """Run a `batch` and call ``see(name, vectors)`` for every layer that multiplies.

    Those are linear layers, convolutions, the fused projection of attention that looks at its own
    inputs, and what the first layers of GRU and LSTM do to their inputs.

    `name` is the weight's, and `vectors` are float32 [examples or places, n]: as many columns as
    a row of the weight, flattened, has entries. Layers whose weights multiply no such vectors,
    convolutions in groups among them, are passed over. `weights` are those of the whole module, and
    `batch` its inputs as the task makes them.
    """
    module = model.module()
    for path, layer in module.named_modules():
        name = f"{path}.weight".removeprefix(".")
        if isinstance(layer, nn.Linear):
            layer.register_forward_pre_hook(_linear(name, see))
        elif isinstance(layer, nn.Conv1d | nn.Conv2d):
            if layer.groups == 1 and layer.padding_mode == "zeros":
                layer.register_forward_pre_hook(_convolution(name, layer, see))
        elif isinstance(layer, nn.MultiheadAttention) and layer.in_proj_weight is not None:
            layer.register_forward_pre_hook(_attention(path, see))
        elif isinstance(layer, nn.GRU | nn.LSTM):
            layer.register_forward_pre_hook(_recurrent(path, layer, see))
    with torch.no_grad():
        call(module, weights, batch)


def _linear(name: str, see: See) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        see(name, inputs[0].flatten(0, -2))

    return hook


def _convolution(
    name: str, layer: nn.Conv1d | nn.Conv2d, see: See
) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        around = layer._reversed_padding_repeated_twice  # noqa: SLF001 - a word, made numbers
        padded = functional.pad(inputs[0], around)
        line = () if padded.ndim == 4 else (1,)  # a line is a picture one pixel high
        patches = functional.unfold(
            padded if padded.ndim == 4 else padded.unsqueeze(2),
            (*line, *layer.kernel_size),
            dilation=(*line, *layer.dilation),
            stride=(*line, *layer.stride),
        )
        see(name, patches.transpose(1, 2).flatten(0, 1))

    return hook


def _attention(path: str, see: See) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    name = f"{path}.in_proj_weight".removeprefix(".")

    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs) >= 3 and inputs[0] is inputs[1] is inputs[2]:
            see(name, inputs[0].flatten(0, -2))

    return hook


def _recurrent(
    path: str, layer: nn.GRU | nn.LSTM, see: See
) -> Callable[[nn.Module, tuple[Any, ...]], None]:
    both = ("", "_reverse") if layer.bidirectional else ("",)

    def hook(_layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        if isinstance(inputs[0], Tensor):  # packed sequences are passed over
            for way in both:
                see(f"{path}.weight_ih_l0{way}".removeprefix("."), inputs[0].flatten(0, -2))

    return hook
