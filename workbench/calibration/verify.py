"""Verify on real examples that a change of weights leaves the outputs of a model unchanged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from workbench.calibration.examples import FAILS, calibration_inputs
from workbench.domain import Model
from workbench.errors import user_errors
from workbench.runtime.batch import Batch, call
from workbench.runtime.nested import tensors_in
from workbench.runtime.unfused import unfuse
from workbench.threads import threads

EXAMPLES = 64
TOLERANCE = 1e-4
"""Tolerance as a share of the largest output, for float32 sums in another order."""

MAX_VALUES = 4096
"""Output values that are compared in each layer, to limit memory."""

Change = TypeVar("Change")


class ReferenceOutputs:
    """The outputs of `model` and of its layers at `paths` on calibration examples, with `weights`.

    Layers are compared too, because the final outputs alone may hide a change: they can be equal on
    these examples and differ on others.

    Raises
    ------
    InputError
        If a user's module fails on these examples.
    """

    def __init__(
        self, model: Model, weights: Mapping[str, Tensor], paths: Collection[str] = ()
    ) -> None:
        self.inputs = Batch.of(calibration_inputs(model, EXAMPLES))
        with user_errors(FAILS):
            self._expected = record_outputs(model, weights, self.inputs, paths)

    def matches(
        self, model: Model, weights: Mapping[str, Tensor], paths: Collection[str] = ()
    ) -> bool:
        """Whether `model` with `weights` has the same outputs, up to rounding.

        `paths` is a subset of the paths of the reference. `model` may have another spec.
        """
        try:
            outputs = record_outputs(model, weights, self.inputs, paths)
        except Exception:  # noqa: BLE001 - a user's module may access removed parts and fail in any way
            return False
        return outputs_match(outputs, {path: self._expected[path] for path in outputs}, _close)


def record_outputs(
    model: Model, weights: Mapping[str, Tensor], inputs: Batch, paths: Collection[str] = ()
) -> dict[str, list[Tensor]]:
    """Return the floating-point tensors that `model` and its layers at `paths` return, by path.

    The path of the model is empty. Its outputs are complete; those of layers are subsampled.
    """
    module = unfuse(model.module())  # fused kernels would bypass the hooks of layers
    recorded: dict[str, list[Tensor]] = {path: [] for path in ("", *paths)}

    def hook_for(path: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, result: Any) -> None:
            tensors = [tensor for tensor in tensors_in(result) if tensor.is_floating_point()]
            recorded[path] += tensors if path == "" else map(_subsampled, tensors)

        return hook

    for path in recorded:
        module.get_submodule(path).register_forward_hook(hook_for(path))
    with threads(1), torch.no_grad():
        call(module, weights, inputs)
    return recorded


def outputs_match(
    outputs: Mapping[str, Sequence[Tensor]],
    expected: Mapping[str, Sequence[Tensor]],
    same: Callable[[Tensor, Tensor], bool],
) -> bool:
    """Whether the model has outputs, and all outputs are the `same`, also those of layers."""
    return bool(expected[""]) and all(
        len(outputs[path]) == len(tensors) and all(map(same, outputs[path], tensors))
        for path, tensors in expected.items()
    )


def largest_valid_subset(
    changes: tuple[Change, ...],
    is_valid: Callable[[tuple[Change, ...]], bool],
    accepted: tuple[Change, ...] = (),
) -> tuple[Change, ...]:
    """Return `accepted` plus those of `changes` that are valid together, in order.

    All changes are tried first, then halves, which needs few trials if few changes are invalid.
    The result has been tried as a whole.
    """
    if not changes or is_valid(accepted + changes):
        return accepted + changes
    if len(changes) == 1:
        return accepted
    middle = len(changes) // 2
    first = largest_valid_subset(changes[:middle], is_valid, accepted)
    return largest_valid_subset(changes[middle:], is_valid, first)


def _subsampled(tensor: Tensor) -> Tensor:
    """Return a copy of evenly spaced values of `tensor`, [n]."""
    flat = tensor.reshape(-1)
    return flat[:: len(flat) // MAX_VALUES | 1].clone()  # an odd step reaches every channel


def _close(outputs: Tensor, expected: Tensor) -> bool:
    if outputs.shape != expected.shape:
        return False
    if not expected.numel():
        return True
    difference = torch.where(outputs == expected, 0.0, (outputs - expected).abs())  # inf == inf
    finite = torch.where(expected.isfinite(), expected, 0.0)
    return bool(difference.max() <= TOLERANCE * finite.abs().max())
