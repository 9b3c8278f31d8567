"""Whether a change of weights leaves what a model computes as it was: tried on real examples."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from workbench.calibration.examples import FAILS, calibration_inputs
from workbench.domain import Model
from workbench.errors import user_errors
from workbench.runtime.batch import Batch, call, tensors_in
from workbench.runtime.unfused import unfuse
from workbench.threads import threads

EXAMPLES = 64
CLOSE = 1e-4
"""How far outputs may move, as a share of the largest: float32 sums in another order."""

MOST_VALUES = 4096
"""Of a layer's outputs: those of all layers together would take much memory."""

Change = TypeVar("Change")


class ReferenceOutputs:
    """What `model` and its layers at `paths` put out for calibration examples with `weights`.

    Layers are compared as well as the whole, since outputs may say little of what happens inside:
    a network can put out the same for all of these examples, and not for others.

    Raises
    ------
    WorkbenchError
        When a user module fails on them.
    """

    def __init__(
        self, model: Model, weights: Mapping[str, Tensor], paths: Collection[str] = ()
    ) -> None:
        self.inputs = Batch.of(calibration_inputs(model, EXAMPLES))
        with user_errors(FAILS):
            self._expected = record_outputs(model, weights, self.inputs, paths)

    def holds(
        self, model: Model, weights: Mapping[str, Tensor], paths: Collection[str] = ()
    ) -> bool:
        """Whether `model`, in whatever form, and its layers at `paths` put out the same.

        With `weights`, but for rounding; `paths` are some of those of the reference.
        """
        try:
            found = record_outputs(model, weights, self.inputs, paths)
        except Exception:  # noqa: BLE001 - a user module may read what is gone, and fail in any way
            return False
        return outputs_match(found, {path: self._expected[path] for path in found}, _close)


def record_outputs(
    model: Model, weights: Mapping[str, Tensor], inputs: Batch, paths: Collection[str] = ()
) -> dict[str, list[Tensor]]:
    """Return the floating-point tensors that `model` returns, and that its layers at `paths` do.

    By path, that of the whole being empty; of a layer's outputs some values. All that the model
    returns is there, not only what counts.
    """
    module = unfuse(model.module())  # a layer that is looked at has to run as a layer
    found: dict[str, list[Tensor]] = {path: [] for path in ("", *paths)}

    def keep(path: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _given: Any, result: Any) -> None:
            tensors = [tensor for tensor in tensors_in(result) if tensor.is_floating_point()]
            found[path] += tensors if path == "" else map(_some, tensors)

        return hook

    for path in found:
        module.get_submodule(path).register_forward_hook(keep(path))
    with threads(1), torch.no_grad():
        call(module, weights, inputs)
    return found


def outputs_match(
    found: Mapping[str, Sequence[Tensor]],
    expected: Mapping[str, Sequence[Tensor]],
    same: Callable[[Tensor, Tensor], bool],
) -> bool:
    """Whether there are outputs of the whole, and all are the `same`, those of layers too."""
    return bool(expected[""]) and all(
        len(found[path]) == len(tensors) and all(map(same, found[path], tensors))
        for path, tensors in expected.items()
    )


def largest_valid_subset(
    changes: tuple[Change, ...],
    holds: Callable[[tuple[Change, ...]], bool],
    accepted: tuple[Change, ...] = (),
) -> tuple[Change, ...]:
    """Return `accepted` and those of `changes` with which it still `holds`, in their order.

    All are tried together first, then by halves: few trials where few changes are wrong. What is
    returned was tried as a whole.
    """
    if not changes or holds(accepted + changes):
        return accepted + changes
    if len(changes) == 1:
        return accepted
    middle = len(changes) // 2
    return largest_valid_subset(
        changes[middle:], holds, largest_valid_subset(changes[:middle], holds, accepted)
    )


def _some(tensor: Tensor) -> Tensor:
    """Return some values of `tensor`, [n], evenly spread, as they are now."""
    flat = tensor.reshape(-1)
    return flat[:: len(flat) // MOST_VALUES | 1].clone()  # an odd step meets every channel


def _close(found: Tensor, expected: Tensor) -> bool:
    if found.shape != expected.shape:
        return False
    if not expected.numel():
        return True
    apart = torch.where(found == expected, 0.0, (found - expected).abs())  # infinities are equal
    finite = torch.where(expected.isfinite(), expected, 0.0)
    return bool(apart.max() <= CLOSE * finite.abs().max())
