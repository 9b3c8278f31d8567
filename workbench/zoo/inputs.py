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
    """Run a `batch` and call ``see(name, vectors)`` for every linear layer and convolution.

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
        elif isinstance(layer, nn.Conv2d) and layer.groups == 1 and layer.padding_mode == "zeros":
            layer.register_forward_pre_hook(_convolution(name, layer, see))
    with torch.no_grad():
        call(module, weights, batch)


def _linear(name: str, see: See) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        see(name, inputs[0].flatten(0, -2))

    return hook


def _convolution(
    name: str, layer: nn.Conv2d, see: See
) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        around = layer._reversed_padding_repeated_twice  # noqa: SLF001 - a word, made numbers
        patches = functional.unfold(
            functional.pad(inputs[0], around),
            layer.kernel_size,
            dilation=layer.dilation,
            stride=layer.stride,
        )
        see(name, patches.transpose(1, 2).flatten(0, 1))

    return hook
