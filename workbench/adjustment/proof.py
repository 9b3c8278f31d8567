"""Whether a change of weights leaves what a model computes as it was: tried on real examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from workbench.adjustment.examples import FAILS, calibration_inputs
from workbench.errors import in_words
from workbench.threads import threads
from workbench.zoo import Model
from workbench.zoo.batch import Batch, call
from workbench.zoo.unheard import tensors_in

EXAMPLES = 64
CLOSE = 1e-4
"""How far outputs may move, as a share of the largest: float32 sums in another order."""

Change = TypeVar("Change")


class Reference:
    """What `model` puts out for calibration examples with `weights`.

    Raises
    ------
    WorkbenchError
        When a user module fails on them.
    """

    def __init__(self, model: Model, weights: Mapping[str, Tensor]) -> None:
        self.inputs = Batch.of(calibration_inputs(model, EXAMPLES))
        with in_words(FAILS):
            self._expected = outputs(model, weights, self.inputs)

    def holds(self, model: Model, weights: Mapping[str, Tensor]) -> bool:
        """Whether `model`, in whatever form, puts out the same with `weights`, but for rounding."""
        try:
            found = outputs(model, weights, self.inputs)
        except Exception:  # noqa: BLE001 - a user module may read what is gone, and fail in any way
            return False
        expected = self._expected
        return 0 < len(found) == len(expected) and all(map(_close, found, expected))


def outputs(model: Model, weights: Mapping[str, Tensor], inputs: Batch) -> list[Tensor]:
    """Return all floating-point tensors among what `model` returns, not only those that count."""
    module, returned = model.module(), list[Any]()

    def keep(_module: nn.Module, _given: Any, result: Any) -> None:
        returned.append(result)

    module.register_forward_hook(keep)
    with threads(1), torch.no_grad():
        call(module, weights, inputs)
    return [tensor for tensor in tensors_in(returned) if tensor.is_floating_point()]


def largest(
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
    return largest(changes[middle:], holds, largest(changes[:middle], holds, accepted))


def _close(found: Tensor, expected: Tensor) -> bool:
    if found.shape != expected.shape:
        return False
    if not expected.numel():
        return True
    apart = torch.where(found == expected, 0.0, (found - expected).abs())  # infinities are equal
    finite = torch.where(expected.isfinite(), expected, 0.0)
    return bool(apart.max() <= CLOSE * finite.abs().max())
