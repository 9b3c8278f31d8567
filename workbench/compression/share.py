"""Weight sharing: replace each weight by an index into a codebook."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.compression import kmeans
from workbench.compression.coded import Shared
from workbench.recipe import Share

TERNARY = 0.7
"""The threshold of ternary weights, as a multiple of mean |w| (arXiv 1605.04711, eq. 6)."""


@dataclass(frozen=True)
class Codebook:
    """The values that rows of weights share.

    Attributes
    ----------
    values : Tensor
        float32 [rows, clusters], rising along each row.
    zero : bool
        Whether zero is an additional value, for all |w| up to the row's `threshold`.
    threshold : Tensor
        [rows, 1].
    """

    values: Tensor
    zero: bool
    threshold: Tensor

    def codes(self, rows: Tensor) -> Tensor:
        """Return the index of the value of each weight [rows, n]; with `zero`, index 0 is zero."""
        index = kmeans.nearest(rows, self.values)
        return (index + 1) * (rows.abs() > self.threshold) if self.zero else index

    def round(self, rows: Tensor) -> Tensor:
        """Return the shared value of each weight [rows, n]."""
        table = torch.nn.functional.pad(self.values, (1, 0)) if self.zero else self.values
        return table.gather(1, self.codes(rows))


def clusters_of(name: str, settings: Share) -> int:
    """Return the number of shared values for the tensor `name`; 0 leaves it as it is."""
    return 0 if name in settings.exclude else int(settings.layers.get(name, settings.clusters))


def share(weight: Tensor, settings: Share, clusters: int) -> Shared:
    """Share `clusters` values, or as many as there are weights, in addition to zero."""
    rows = rows_of(weight, settings)
    book = fit_codebook(rows, settings, clusters)
    return Shared(
        shape=tuple(weight.shape),
        zero=book.zero,
        codes=book.codes(rows).to(torch.uint8).reshape(-1).numpy(),
        codebook=book.values.numpy().astype(np.float32),
    )


def rows_of(weight: Tensor, settings: Share) -> Tensor:
    """Return `weight` as float32 rows, each with its own codebook."""
    count = weight.shape[0] if settings.granularity == "channel" and weight.numel() else 1
    return weight.detach().float().reshape(count, -1)


def fit_codebook(rows: Tensor, settings: Share, clusters: int) -> Codebook:
    """Choose the shared values of `rows`. Zeros stay zero and are ignored by the fit."""
    if not rows.numel():
        return Codebook(torch.zeros(rows.shape[0], 1), zero=False, threshold=torch.zeros(1))
    counted = rows != 0
    threshold = torch.zeros(rows.shape[0], 1)
    if settings.method == "k_means":
        zero = not bool(counted.all())
        count = min(clusters, rows.shape[1], 256 - zero)  # an index is a byte
        values = kmeans.centers(rows, count, settings.start, settings.seed)
        return Codebook(values.float(), zero, threshold)
    size = rows.abs().double()
    mean = _mean(size, counted)
    if settings.method == "ternary":
        threshold = (TERNARY * mean).float()
        mean = _mean(size, size > threshold)
    zero = settings.method == "ternary" or not bool(counted.all())
    return Codebook(torch.cat([-mean, mean], dim=1).float(), zero, threshold)


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    """Return the mean of each row's counted values, or 0 if there are none."""
    counts = counted.sum(dim=1, keepdim=True).clamp(min=1)
    return (values * counted).sum(dim=1, keepdim=True) / counts
