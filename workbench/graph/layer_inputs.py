"""What the layers of a model see: the inputs of each, as the vectors that its weights multiply."""

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
    model: Model, weights: Mapping[str, Tensor], batch: Any, see: InputObserver
) -> None:
    """Run a `batch` and call ``see(name, vectors)`` for every layer that multiplies.

    Those are linear layers, convolutions, the fused projection of attention that looks at its own
    inputs, and GRU and LSTM, whose layers see their inputs and their states; and whatever else
    multiplies vectors with a matrix [inputs, outputs].

    `name` is the weight's, and `vectors` are float32 [examples or places, n]: as many columns as
    a row of the weight, flattened, has entries. Layers whose weights multiply no such vectors,
    convolutions in groups among them, are passed over. `weights` are those of the whole module, and
    `batch` its inputs as the task makes them.
    """
    module = unfuse(model.module())
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
            layer.register_forward_pre_hook(_recurrent(path, layer, see), with_kwargs=True)
    axes = model.roles.permuted_axes(weights)
    matrices = {name: weights[name] for name, found in axes.items() if found == OBSERVED_AXES}
    products = MatmulObserver(matrices, see) if matrices else nullcontext()
    with torch.no_grad(), products:
        call(module, weights, batch)


def _linear(name: str, see: InputObserver) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        see(name, inputs[0].reshape(-1, inputs[0].shape[-1]))  # a batch, or one example

    return hook


def _convolution(
    name: str, layer: nn.Conv1d | nn.Conv2d, see: InputObserver
) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        around = layer._reversed_padding_repeated_twice  # noqa: SLF001 - a word, made numbers
        batch = inputs[0] if inputs[0].ndim == layer.weight.ndim else inputs[0].unsqueeze(0)
        padded = functional.pad(batch, around)
        line = () if padded.ndim == 4 else (1,)  # a line is a picture one pixel high
        patches = functional.unfold(
            padded if padded.ndim == 4 else padded.unsqueeze(2),
            (*line, *layer.kernel_size),
            dilation=(*line, *layer.dilation),
            stride=(*line, *layer.stride),
        )
        see(name, patches.transpose(1, 2).flatten(0, 1))

    return hook


def _attention(path: str, see: InputObserver) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    name = f"{path}.in_proj_weight".removeprefix(".")

    def hook(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs) >= 3 and inputs[0] is inputs[1] is inputs[2]:
            see(name, inputs[0].reshape(-1, inputs[0].shape[-1]))

    return hook


def _recurrent(
    path: str, layer: nn.GRU | nn.LSTM, see: InputObserver
) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
    """Return a hook that goes through the layers once more: their states are seen nowhere else."""

    def hook(_layer: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        given = dict(zip(("input", "hx"), inputs, strict=False)) | named
        x, begin = given["input"], given.get("hx")
        if not isinstance(x, Tensor):  # packed sequences are passed over
            return
        time = 1 if layer.batch_first and x.ndim == 3 else 0
        for number in range(layer.num_layers):
            outputs, before = _states(layer, number, x, begin, time)
            for way, states in zip(("", "_reverse"), before, strict=False):
                for part, seen in (("ih", x), ("hh", states)):
                    name = f"{path}.weight_{part}_l{number}{way}"
                    see(name.removeprefix("."), seen.reshape(-1, seen.shape[-1]))
            x = outputs

    return hook


def _states(
    layer: nn.GRU | nn.LSTM, number: int, x: Tensor, begin: Any, time: int
) -> tuple[Tensor, list[Tensor]]:
    """Return what one of the layers puts out, and its state before each step, by direction."""
    ways = 1 + layer.bidirectional
    alone = type(layer)(
        x.shape[-1],
        layer.hidden_size,
        bias=layer.bias,
        batch_first=layer.batch_first,
        bidirectional=layer.bidirectional,
        device="meta",  # its weights are lent, and none are drawn
        **({"proj_size": layer.proj_size} if layer.proj_size else {}),  # a GRU refuses the word
    )
    own = {name: getattr(layer, name.replace("_l0", f"_l{number}")) for name in alone.state_dict()}
    mine = slice(number * ways, (number + 1) * ways)
    if begin is not None:
        begin = begin[mine] if isinstance(begin, Tensor) else tuple(one[mine] for one in begin)
    outputs, _ = functional_call(alone, own, (x, begin))
    before = []
    for way, states in enumerate(outputs.chunk(ways, dim=-1)):
        steps = states.shape[time]
        first = torch.zeros_like(states.narrow(time, 0, 1))
        if begin is not None:
            first += (begin if isinstance(begin, Tensor) else begin[0])[way].unsqueeze(time)
        earlier = [first, states.narrow(time, 0, steps - 1)]
        later = [states.narrow(time, 1, steps - 1), first]
        before.append(torch.cat(later if way else earlier, dim=time))
    return outputs, before
