"""Second-order pruning and rounding: what one weight's error does is made good by the others.

The Optimal Brain Surgeon's update (Hassibi & Stork 1992), column by column as in GPTQ (Frantar et
al. 2022, arXiv 2210.17323) and SparseGPT (Frantar & Alistarh 2023, arXiv 2301.00774): the squared
change of a layer's outputs on calibration inputs is what is kept small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.compression.covariance import InputCovariance, Numbers
from workbench.threads import threads

BLOCK = 32
"""Columns whose updates are carried to the others together."""


@dataclass(frozen=True)
class ExpandedQParams:
    """The grid of every weight of a matrix: `scale` and `zero_point` [rows, n], codes to `top`."""

    scale: Tensor
    zero_point: Tensor
    top: int


def compensate(
    weight: Tensor,
    moment: InputCovariance,
    kept: Tensor | None = None,
    steps: ExpandedQParams | None = None,
) -> Tensor:
    """Return `weight` pruned and rounded, each error made good by the weights still to come.

    Parameters
    ----------
    weight
        Float32 [rows, n].
    moment
        Of the n inputs.
    kept
        Which weights stay, bool [rows, n]; None for all.
    steps
        The grid to round to; None rounds nothing.

    Columns go in the order of their inputs' size. A row whose outputs would change more than if
    its weights were just set to zero and rounded is left at that.
    """
    with threads(1):  # on more, products may end with other bits, and the file with them
        place = torch.from_numpy(moment.order)
        settle = _Settle(kept, steps, place)
        found, plain = torch.empty_like(weight), torch.empty_like(weight)
        found[:, place] = _swept(_turned(weight, place), moment.root, settle).T
        plain[:, place] = torch.from_numpy(settle(_turned(weight, place).numpy(), slice(None))).T
        better = moment.output_error(found - weight) < moment.output_error(plain - weight)
    return torch.where(better.unsqueeze(1), found, plain)


def _swept(left: Tensor, root: Tensor, settle: _Settle) -> Tensor:
    """Settle one row of `left` [n, rows] after the other; `root` says what the later ones take.

    `left` holds the columns of a matrix as rows, side by side in memory.
    """
    done = torch.empty_like(left)
    # NumPy's steps are shorter; the products between blocks are PyTorch's.
    values, settled, factor = left.numpy(), done.numpy(), root.numpy()
    for start in range(0, len(left), BLOCK):
        end = min(start + BLOCK, len(left))
        errors = torch.empty(end - start, left.shape[1])
        lost = errors.numpy()
        for at in range(start, end):
            settled[at] = settle(values[at], at)
            lost[at - start] = (values[at] - settled[at]) / factor[at, at]
            values[at:end] -= factor[at, at:end, None] * lost[at - start]
        left[end:] -= root[start:end, end:].T @ errors
    return done


class _Settle:
    """Sets weights to zero where they are not kept, and rounds them to their grid."""

    def __init__(self, kept: Tensor | None, steps: ExpandedQParams | None, place: Tensor) -> None:
        self.kept = None if kept is None else _turned(kept, place).numpy()
        self.steps = steps
        if steps is not None:
            self.scale = _turned(steps.scale, place).numpy()
            self.inverse = _turned(steps.scale.reciprocal(), place).numpy()
            self.zero = _turned(steps.zero_point, place).numpy()

    def __call__(self, values: Numbers, at: int | slice) -> Numbers:
        """Return what becomes of the `values` of one column, or of all."""
        if self.steps is not None:
            codes = np.rint(values * self.inverse[at]) + self.zero[at]
            values = (codes.clip(0, self.steps.top) - self.zero[at]) * self.scale[at]
        return values if self.kept is None else values * self.kept[at]


def _turned(matrix: Tensor, place: Tensor) -> Tensor:
    return matrix[:, place].T.contiguous()
