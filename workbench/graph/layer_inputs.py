"""Observe the inputs of a model's layers as the vectors that their weights multiply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from workbench.domain.model import Model
from workbench.graph.multiplied_inputs import OBSERVED_AXES, MatmulObserver
from workbench.runtime.batch import call
from workbench.runtime.unfused import unfuse

InputObserver = Callable[[str, Tensor], None]


def observe_inputs(
    model: Model, weights: Mapping[str, Tensor], batch: Any, observe: InputObserver
) -> None:
    """Run a batch and call ``observe(name, vectors)`` for every layer with a matrix product.

    These are linear layers, convolutions, the fused projection of self-attention, GRU and LSTM
    (their inputs and states), and any other product of vectors with a weight [inputs, outputs].
    Grouped convolutions and other layers without such vectors are skipped.

    Parameters
    ----------
    model
        The model to run.
    weights
        All tensors of the module by name.
    batch
        The module's inputs as the task makes them.
    observe
        Called with the name of a weight and float32 vectors [n, m], one for each example or
        position, where m is the number of entries of a flattened row of the weight.
    """
    module = unfuse(model.module())
    for path, layer in module.named_modules():
        name = f"{path}.weight".removeprefix(".")
        if isinstance(layer, nn.Linear):
            layer.register_forward_pre_hook(_linear(name, observe))
        elif isinstance(layer, nn.Conv1d | nn.Conv2d):
            if layer.groups == 1 and layer.padding_mode == "zeros":
                layer.register_forward_pre_hook(_convolution(name, layer, observe))
        elif isinstance(layer, nn.MultiheadAttention) and layer.in_proj_weight is not None:
            layer.register_forward_pre_hook(_attention(path, observe))
        elif isinstance(layer, nn.GRU | nn.LSTM):
            layer.register_forward_pre_hook(_recurrent(path, layer, observe), with_kwargs=True)
    axes = model.roles.permuted_axes(weights)
    matrices = {name: weights[name] for name, pair in axes.items() if pair == OBSERVED_AXES}
    products = MatmulObserver(matrices, observe) if matrices else nullcontext()
    with torch.no_grad(), products:
        call(module, weights, batch)


def _linear(name: str, observe: InputObserver) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        observe(name, inputs[0].reshape(-1, inputs[0].shape[-1]))  # a batch or a single example

    return hook


def _convolution(
    name: str, layer: nn.Conv1d | nn.Conv2d, observe: InputObserver
) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        padding = layer._reversed_padding_repeated_twice  # noqa: SLF001 - "same" as numbers
        batch = inputs[0] if inputs[0].ndim == layer.weight.ndim else inputs[0].unsqueeze(0)
        padded = functional.pad(batch, padding)
        height = () if padded.ndim == 4 else (1,)  # a sequence is an image of height 1
        patches = functional.unfold(
            padded if padded.ndim == 4 else padded.unsqueeze(2),
            (*height, *layer.kernel_size),
            dilation=(*height, *layer.dilation),
            stride=(*height, *layer.stride),
        )
        observe(name, patches.transpose(1, 2).flatten(0, 1))

    return hook


def _attention(
    path: str, observe: InputObserver
) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    name = f"{path}.in_proj_weight".removeprefix(".")

    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs) >= 3 and inputs[0] is inputs[1] is inputs[2]:
            observe(name, inputs[0].reshape(-1, inputs[0].shape[-1]))

    return hook


def _recurrent(
    path: str, layer: nn.GRU | nn.LSTM, observe: InputObserver
) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
    """Return a hook that runs each layer again, because PyTorch does not expose their states."""

    def hook(_layer: nn.Module, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        arguments = dict(zip(("input", "hx"), inputs, strict=False)) | kwargs
        x, initial = arguments["input"], arguments.get("hx")
        if not isinstance(x, Tensor):  # packed sequences are not supported
            return
        time = 1 if layer.batch_first and x.ndim == 3 else 0
        for number in range(layer.num_layers):
            outputs, previous = _states(layer, number, x, initial, time)
            for suffix, states in zip(("", "_reverse"), previous, strict=False):
                for part, vectors in (("ih", x), ("hh", states)):
                    name = f"{path}.weight_{part}_l{number}{suffix}"
                    observe(name.removeprefix("."), vectors.reshape(-1, vectors.shape[-1]))
            x = outputs

    return hook


def _states(
    layer: nn.GRU | nn.LSTM, number: int, x: Tensor, initial: Any, time: int
) -> tuple[Tensor, list[Tensor]]:
    """Return the outputs of one layer, and for each direction its state before each step."""
    directions = 1 + layer.bidirectional
    single = type(layer)(
        x.shape[-1],
        layer.hidden_size,
        bias=layer.bias,
        batch_first=layer.batch_first,
        bidirectional=layer.bidirectional,
        device="meta",  # skips initialization; the weights are swapped in
        **({"proj_size": layer.proj_size} if layer.proj_size else {}),  # a GRU has no such argument
    )
    names = single.state_dict()
    weights = {name: getattr(layer, name.replace("_l0", f"_l{number}")) for name in names}
    rows = slice(number * directions, (number + 1) * directions)
    if initial is not None:
        is_gru = isinstance(initial, Tensor)
        initial = initial[rows] if is_gru else tuple(state[rows] for state in initial)
    outputs, _ = functional_call(single, weights, (x, initial))
    previous = []
    for direction, states in enumerate(outputs.chunk(directions, dim=-1)):
        steps = states.shape[time]
        first = torch.zeros_like(states.narrow(time, 0, 1))
        if initial is not None:
            first += (initial if is_gru else initial[0])[direction].unsqueeze(time)
        forward = [first, states.narrow(time, 0, steps - 1)]
        backward = [states.narrow(time, 1, steps - 1), first]
        previous.append(torch.cat(backward if direction else forward, dim=time))
    return outputs, previous
