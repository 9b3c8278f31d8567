"""Observers: the range of each layer's inputs on calibration examples, and the grid over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import torch
from torch import Tensor, nn

from workbench.artifact.module_spec import InputQParams
from workbench.calibration.examples import run_calibration_batch
from workbench.domain import Model
from workbench.errors import WorkbenchError
from workbench.recipe import Activations
from workbench.runtime.build import is_standard_layer
from workbench.runtime.layer_sizes import SizeTracker
from workbench.runtime.unfused import unfuse

BINS = 2048
FACTORS = 100
"""Bounds tried for the least squared error, from a hundredth of the widest upwards."""
ROUNDS = 2
"""How often the upper bound is found for the lower one, and the other way round."""


@dataclass(frozen=True)
class ObservedInputs:
    """The `inputs` of a layer, [n, …], from `low` to `high`; zero is always in range."""

    low: float
    high: float
    inputs: Tensor

    @classmethod
    def of(cls, inputs: Tensor) -> ObservedInputs:
        """Look at `inputs`."""
        low, high = (float(bound) for bound in inputs.aminmax())  # NaN is passed on
        low, high = min(low, 0.0), max(high, 0.0)
        return cls(low, high if high > low else 1.0, inputs)

    @property
    def width(self) -> float:
        """The width of a bin."""
        return (self.high - self.low) / BINS

    @cached_property
    def counts(self) -> Tensor:
        """How often they fall into each of equal bins from `low` to `high`, float64 [bins]."""
        return torch.histc(self.inputs, BINS, self.low, self.high).double()


def observe_inputs(
    model: Model, weights: Mapping[str, Tensor], settings: Activations
) -> dict[str, InputQParams]:
    """Return the grid for the inputs of each linear layer and convolution, by the layer's path.

    From the network's float32 inputs on the calibration examples, with `weights` decoded, in all
    runs of a layer that runs several times. Layers that have no weight of their own are left out,
    those that the network differentiates through in its forward, because rounding has no gradient,
    and a network that is nothing but one layer.

    Raises
    ------
    WorkbenchError
        When some inputs are NaN or infinite.
    """
    runs: Counter[str] = Counter()
    found: dict[str, InputQParams] = {}

    differentiable: set[str] = set()

    def see(path: str, inputs: Tensor) -> None:
        runs[path] += 1
        if inputs.requires_grad:
            differentiable.add(path)
        else:
            found[path] = _grid(path, inputs, settings)

    _watch(model, weights, settings, see)
    found = {path: grid for path, grid in found.items() if path not in differentiable}
    again = {path: list[Tensor]() for path in found if runs[path] > 1}
    if again:

        def keep(path: str, inputs: Tensor) -> None:
            if path in again:
                again[path].append(
                    inputs.detach().flatten().clone()
                )  # others may write to it later

        _watch(model, weights, settings, keep)
        found |= {path: _grid(path, torch.cat(some), settings) for path, some in again.items()}
    return found


def _watch(
    model: Model,
    weights: Mapping[str, Tensor],
    settings: Activations,
    see: Callable[[str, Tensor], None],
) -> None:
    """Run the calibration examples and call `see` with the path and inputs of each layer."""
    module = unfuse(model.module())

    def watch(path: str) -> Callable[..., None]:
        return lambda _layer, inputs: see(path, inputs[0])

    for path, layer in module.named_modules():
        name = f"{path}.weight"  # not among the weights: tied to another, or computed from others
        if name not in weights or name in settings.exclude or _is_given_others(layer):
            continue
        if is_standard_layer(layer):
            layer.register_forward_pre_hook(watch(path))
    run_calibration_batch(module, model, weights)


def _grid(path: str, inputs: Tensor, settings: Activations) -> InputQParams:
    seen = ObservedInputs.of(inputs)
    if not isfinite(seen.low) or not isfinite(seen.high):
        raise WorkbenchError(
            f"The inputs of {path} hold NaN or infinity on the first training examples, so that "
            "they cannot be rounded: prune or round the weights before it less, or leave them out."
        )
    low, high = OBSERVERS[settings.observer](seen, settings)
    return qparams_for_range(low, high, settings.bits)


def _is_given_others(layer: nn.Module) -> bool:
    """Return whether hooks of the user's may change the inputs of `layer` before it runs."""
    hooks = layer._forward_pre_hooks.values()  # noqa: SLF001 - has no public name
    return any(not isinstance(hook, SizeTracker) for hook in hooks)


def qparams_for_range(low: float, high: float, bits: int) -> InputQParams:
    """Return the grid whose codes span `low` to `high`, zero among its values."""
    top = 2**bits - 1
    scale = float(torch.tensor((high - low) / top).clamp(min=torch.finfo(torch.float32).tiny))
    return InputQParams(bits, scale, min(top, max(0, round(-low / scale))))


def _minmax(seen: ObservedInputs, settings: Activations) -> tuple[float, float]:
    return seen.low, seen.high


def _percentile(seen: ObservedInputs, settings: Activations) -> tuple[float, float]:
    """Return the bounds that leave out the percentage asked, half of it at either end.

    All of it at the upper end where no input is below zero.
    """
    total = float(seen.counts.sum())
    outside = (1 - settings.percentile / 100) * total + 1e-6  # so that 0.1 % of 1,000 is one
    below = outside / 2 if seen.low < 0 else 0.0
    until = seen.counts.cumsum(0)
    first = int((until <= below).sum())
    last = int((until < until[-1] - (outside - below)).sum()) + 1
    low, high = seen.low + first * seen.width, seen.low + last * seen.width
    return min(low, 0.0), max(high, 0.0)


def _least_squares(seen: ObservedInputs, settings: Activations) -> tuple[float, float]:
    """Return the bounds with the least squared error over the bins, found one after the other."""
    low, high = seen.low, seen.high
    tried = torch.arange(FACTORS, 0, -1, dtype=torch.float64) / FACTORS
    for _ in range(ROUNDS):
        high = _best(seen, settings.bits, [(low, seen.high * float(f)) for f in tried])[1]
        low = _best(seen, settings.bits, [(seen.low * float(f), high) for f in tried])[0]
    return low, high


def _best(
    seen: ObservedInputs, bits: int, bounds: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """Return those of `bounds` over which rounding does the least squared error, else the first."""
    grids = [qparams_for_range(low, high, bits) for low, high in bounds]
    scale = torch.tensor([grid.scale for grid in grids], dtype=torch.float64).unsqueeze(1)
    zero = torch.tensor([grid.zero_point for grid in grids]).unsqueeze(1)
    centres = seen.low + (torch.arange(len(seen.counts), dtype=torch.float64) + 0.5) * seen.width
    steps = (centres / scale).round().add(zero).clamp(0, grids[0].top) - zero
    errors = (steps * scale - centres).square() @ seen.counts
    return bounds[int(errors.argmin())]


OBSERVERS: dict[str, Callable[[ObservedInputs, Activations], tuple[float, float]]] = {
    "minmax": _minmax,
    "percentile": _percentile,
    "histogram": _least_squares,
}
"""The lowest and highest input to represent, by observer."""
