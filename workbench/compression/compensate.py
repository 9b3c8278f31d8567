"""Second-order pruning and rounding: later weights compensate for the error of earlier ones.

The update of Optimal Brain Surgeon (Hassibi & Stork 1992), column by column as in GPTQ (Frantar et
al. 2022, arXiv 2210.17323) and SparseGPT (Frantar & Alistarh 2023, arXiv 2301.00774). It minimizes
the squared change of a layer's outputs on calibration inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.compression.covariance import InputCovariance, Numbers
from workbench.threads import threads

BLOCK = 32
"""The number of columns whose updates are applied to the remaining columns together."""


@dataclass(frozen=True)
class ExpandedQParams:
    """The quantization parameters of each weight: `scale` and `zero_point` are [rows, n]."""

    scale: Tensor
    zero_point: Tensor
    top: int


def compensate(
    weight: Tensor,
    covariance: InputCovariance,
    mask: Tensor | None = None,
    qparams: ExpandedQParams | None = None,
) -> Tensor:
    """Prune and round `weight`; later columns compensate for the error of earlier ones.

    Columns are processed by the mean square of their inputs, largest first. A row whose outputs
    would change less without compensation is only pruned and rounded.

    Parameters
    ----------
    weight
        float32 tensor of shape [rows, n].
    covariance
        Of the n inputs.
    mask
        Which weights to keep, bool [rows, n]; None keeps all.
    qparams
        How to round each weight; None rounds nothing.

    Returns
    -------
    Tensor
        float32 tensor of shape [rows, n].
    """
    with threads(1):  # on several threads, the last bits of products can differ, and so the file
        order = torch.from_numpy(covariance.order)
        project = _Projection(mask, qparams, order)
        ordered = _columns(weight, order)
        compensated, direct = torch.empty_like(weight), torch.empty_like(weight)
        direct[:, order] = torch.from_numpy(project(ordered.numpy(), slice(None))).T
        compensated[:, order] = _sweep(ordered, covariance.root, project).T
        error = covariance.output_error(compensated - weight)
        better = error < covariance.output_error(direct - weight)
    return torch.where(better.unsqueeze(1), compensated, direct)


def _sweep(columns: Tensor, root: Tensor, project: _Projection) -> Tensor:
    """Project one column after the other and spread its error over the later ones.

    `columns` [n, rows] is overwritten. Each of its rows is a column of the matrix, so that a column
    is contiguous in memory. `root` is that of the `InputCovariance`.
    """
    result = torch.empty_like(columns)
    # NumPy has less overhead per step; the products between blocks are PyTorch's.
    values, projected, factor = columns.numpy(), result.numpy(), root.numpy()
    for start in range(0, len(columns), BLOCK):
        end = min(start + BLOCK, len(columns))
        block_errors = torch.empty(end - start, columns.shape[1])
        errors = block_errors.numpy()
        for at in range(start, end):
            projected[at] = project(values[at], at)
            errors[at - start] = (values[at] - projected[at]) / factor[at, at]
            values[at:end] -= factor[at, at:end, None] * errors[at - start]
        columns[end:] -= root[start:end, end:].T @ block_errors
    return result


class _Projection:
    """Zero the weights outside a mask, and round the others."""

    def __init__(self, mask: Tensor | None, qparams: ExpandedQParams | None, order: Tensor) -> None:
        self.mask = None if mask is None else _columns(mask, order).numpy()
        self.qparams = qparams
        if qparams is not None:
            self.scale = _columns(qparams.scale, order).numpy()
            self.inverse = _columns(qparams.scale.reciprocal(), order).numpy()
            self.zero = _columns(qparams.zero_point, order).numpy()

    def __call__(self, values: Numbers, at: int | slice) -> Numbers:
        """Return the projected `values` of one column, or of all."""
        if self.qparams is not None:
            codes = np.rint(values * self.inverse[at]) + self.zero[at]
            values = (codes.clip(0, self.qparams.top) - self.zero[at]) * self.scale[at]
        return values if self.mask is None else values * self.mask[at]


def _columns(matrix: Tensor, order: Tensor) -> Tensor:
    return matrix[:, order].T.contiguous()
