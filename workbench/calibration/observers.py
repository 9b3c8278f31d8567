"""Observers: quantization parameters of layer inputs from their range on calibration examples."""

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
from workbench.errors import InputError
from workbench.recipe import Activations
from workbench.runtime.build import is_standard_layer
from workbench.runtime.layer_sizes import SizeTracker
from workbench.runtime.unfused import unfuse

BINS = 2048
FACTORS = 100
"""Bounds tried by the histogram observer, from a hundredth of the full range up to all of it."""
ROUNDS = 2
"""Rounds in which the histogram observer optimizes the upper bound, then the lower."""


@dataclass(frozen=True)
class ObservedInputs:
    """The `inputs` of a layer, [n, …], and their range `low` to `high`, which includes zero."""

    low: float
    high: float
    inputs: Tensor

    @classmethod
    def of(cls, inputs: Tensor) -> ObservedInputs:
        """Determine the range of `inputs`."""
        low, high = (float(bound) for bound in inputs.aminmax())  # propagates NaN
        low, high = min(low, 0.0), max(high, 0.0)
        return cls(low, high if high > low else 1.0, inputs)

    @property
    def width(self) -> float:
        """The width of a histogram bin."""
        return (self.high - self.low) / BINS

    @cached_property
    def counts(self) -> Tensor:
        """The histogram over equal bins from `low` to `high`, float64 [bins]."""
        return torch.histc(self.inputs, BINS, self.low, self.high).double()


def fit_input_qparams(
    model: Model, weights: Mapping[str, Tensor], settings: Activations
) -> dict[str, InputQParams]:
    """Return quantization parameters for the inputs of linear layers and convolutions, by path.

    The ranges are those of the float32 inputs on the calibration examples with decoded `weights`,
    over all calls of a layer. Excluded are layers without a weight of their own, layers whose
    inputs require gradients within the forward pass (rounding has no gradient), and a module that
    is a single layer.

    Raises
    ------
    InputError
        If some inputs are NaN or infinite.
    """
    calls: Counter[str] = Counter()
    qparams: dict[str, InputQParams] = {}
    differentiable: set[str] = set()

    def fit(path: str, inputs: Tensor) -> None:
        if not inputs.numel():  # an expert that receives none of the examples
            return
        calls[path] += 1
        if inputs.requires_grad:
            differentiable.add(path)
        else:
            qparams[path] = fit_qparams(path, inputs, settings)

    _watch(model, weights, settings, fit)
    qparams = {path: fitted for path, fitted in qparams.items() if path not in differentiable}
    repeated = {path: list[Tensor]() for path in qparams if calls[path] > 1}
    if repeated:

        def collect(path: str, inputs: Tensor) -> None:
            if path in repeated:  # a copy, because the module may modify the inputs later
                repeated[path].append(inputs.detach().flatten().clone())

        _watch(model, weights, settings, collect)
        qparams |= {
            path: fit_qparams(path, torch.cat(all_), settings) for path, all_ in repeated.items()
        }
    return qparams


def _watch(
    model: Model,
    weights: Mapping[str, Tensor],
    settings: Activations,
    on_inputs: Callable[[str, Tensor], None],
) -> None:
    """Run the calibration examples and call `on_inputs` with the path and inputs of each layer."""
    module = unfuse(model.module())

    def hook_for(path: str) -> Callable[..., None]:
        return lambda _layer, inputs: on_inputs(path, inputs[0])

    for path, layer in module.named_modules():
        name = f"{path}.weight"  # not among the weights if tied or computed from other tensors
        if name not in weights or name in settings.exclude or _has_user_hooks(layer):
            continue
        if is_standard_layer(layer):
            layer.register_forward_pre_hook(hook_for(path))
    run_calibration_batch(module, model, weights)


def fit_qparams(path: str, inputs: Tensor, settings: Activations) -> InputQParams:
    """Return quantization parameters for the inputs or outputs of the layer `path`.

    Raises
    ------
    InputError
        If some are NaN or infinite.
    """
    observed = ObservedInputs.of(inputs)
    if not isfinite(observed.low) or not isfinite(observed.high):
        raise InputError(
            f"The inputs of {path} contain NaN or infinity on the first training examples, so they "
            "cannot be rounded: prune or round the weights before this layer less, or exclude it.",
            code="recipe.activations_not_finite",
        )
    low, high = OBSERVERS[settings.observer](observed, settings)
    if settings.scheme == "symmetric":
        return symmetric_qparams(max(-low, high), settings.bits)
    return qparams_for_range(low, high, settings.bits)


def _has_user_hooks(layer: nn.Module) -> bool:
    """Return whether a user's hooks may change the inputs of `layer`."""
    hooks = layer._forward_pre_hooks.values()  # noqa: SLF001 - has no public name
    return any(not isinstance(hook, SizeTracker) for hook in hooks)


def qparams_for_range(low: float, high: float, bits: int) -> InputQParams:
    """Return quantization parameters whose values span `low` to `high` and include zero."""
    top = 2**bits - 1
    scale = float(torch.tensor((high - low) / top).clamp(min=torch.finfo(torch.float32).tiny))
    return InputQParams(bits, scale, min(top, max(0, round(-low / scale))))


def symmetric_qparams(bound: float, bits: int) -> InputQParams:
    """Return quantization parameters from −bound to bound, whose zero point is the middle code."""
    middle = 2 ** (bits - 1)
    scale = float(torch.tensor(bound / (middle - 1)).clamp(min=torch.finfo(torch.float32).tiny))
    return InputQParams(bits, scale, middle)


def _minmax(observed: ObservedInputs, settings: Activations) -> tuple[float, float]:
    return observed.low, observed.high


def _percentile(observed: ObservedInputs, settings: Activations) -> tuple[float, float]:
    """Return bounds that clip a percentage: half at each end, or all at the top if low is 0."""
    total = float(observed.counts.sum())
    outside = (1 - settings.percentile / 100) * total + 1e-6  # so that 0.1 % of 1,000 is one
    below = outside / 2 if observed.low < 0 else 0.0
    cumulative = observed.counts.cumsum(0)
    first = int((cumulative <= below).sum())
    last = int((cumulative < cumulative[-1] - (outside - below)).sum()) + 1
    low, high = observed.low + first * observed.width, observed.low + last * observed.width
    return min(low, 0.0), max(high, 0.0)


def _least_squares(observed: ObservedInputs, settings: Activations) -> tuple[float, float]:
    """Return bounds with a small squared error over the histogram, by coordinate descent."""
    low, high = observed.low, observed.high
    factors = torch.arange(FACTORS, 0, -1, dtype=torch.float64) / FACTORS
    bits = settings.bits
    for _ in range(ROUNDS):
        high = _best(observed, bits, [(low, observed.high * float(f)) for f in factors])[1]
        low = _best(observed, bits, [(observed.low * float(f), high) for f in factors])[0]
    return low, high


def _best(
    observed: ObservedInputs, bits: int, bounds: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """Return the first of `bounds` with the least squared rounding error."""
    qparams = [qparams_for_range(low, high, bits) for low, high in bounds]
    scale = torch.tensor([q.scale for q in qparams], dtype=torch.float64).unsqueeze(1)
    zero = torch.tensor([q.zero_point for q in qparams]).unsqueeze(1)
    bins = torch.arange(len(observed.counts), dtype=torch.float64)
    centers = observed.low + (bins + 0.5) * observed.width
    steps = (centers / scale).round().add(zero).clamp(0, qparams[0].top) - zero
    errors = (steps * scale - centers).square() @ observed.counts
    return bounds[int(errors.argmin())]


OBSERVERS: dict[str, Callable[[ObservedInputs, Activations], tuple[float, float]]] = {
    "minmax": _minmax,
    "percentile": _percentile,
    "histogram": _least_squares,
}
"""Functions that choose the lowest and highest input to represent, by observer name."""
