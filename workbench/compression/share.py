"""From float tensors to numbers of shared values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.compression import kmeans
from workbench.compression.coded import Shared
from workbench.recipe import Share

TERNARY = 0.7
"""Of the mean absolute weight: up to here ternary weights are zero (arXiv 1605.04711, eq. 6)."""


@dataclass(frozen=True)
class Codebook:
    """The values that rows of weights share.

    `values` rise along each row, float32 [rows, clusters]. Where `zero` says so, zero is a value
    of its own, for all weights no larger than their row's `threshold` [rows, 1].
    """

    values: Tensor
    zero: bool
    threshold: Tensor

    def codes(self, rows: Tensor) -> Tensor:
        """Return the number of the value that each weight [rows, n] takes: with `zero`, 0 is it."""
        found = kmeans.nearest(rows, self.values)
        return (found + 1) * (rows.abs() > self.threshold) if self.zero else found

    def round(self, rows: Tensor) -> Tensor:
        """Return the values that the weights [rows, n] take."""
        table = torch.nn.functional.pad(self.values, (1, 0)) if self.zero else self.values
        return table.gather(1, self.codes(rows))


def clusters_of(name: str, settings: Share) -> int:
    """Return how many values the weights of the tensor called `name` share; 0: it is left alone."""
    return 0 if name in settings.exclude else int(settings.layers.get(name, settings.clusters))


def share(weight: Tensor, settings: Share, clusters: int) -> Shared:
    """Return `weight` with `clusters` values beside zero, or as many as it has weights."""
    rows = rows_of(weight, settings)
    book = fit_codebook(rows, settings, clusters)
    return Shared(
        shape=tuple(weight.shape),
        zero=book.zero,
        codes=book.codes(rows).to(torch.uint8).reshape(-1).numpy(),
        codebook=book.values.numpy().astype(np.float32),
    )


def rows_of(weight: Tensor, settings: Share) -> Tensor:
    """Return `weight` as rows that share a codebook each, float32."""
    count = weight.shape[0] if settings.granularity == "channel" and weight.numel() else 1
    return weight.detach().float().reshape(count, -1)


def fit_codebook(rows: Tensor, settings: Share, clusters: int) -> Codebook:
    """Return the values that suit `rows` best; zeros stay zero and take no part in finding them."""
    if not rows.numel():
        return Codebook(torch.zeros(rows.shape[0], 1), zero=False, threshold=torch.zeros(1))
    counted = rows != 0
    none = torch.zeros(rows.shape[0], 1)
    if settings.method == "k-means":
        zero = not bool(counted.all())
        most = min(clusters, rows.shape[1], 256 - zero)  # a number is a byte
        values = kmeans.centers(rows, most, settings.start, settings.seed)
        return Codebook(values.float(), zero, none)
    size = rows.abs().double()
    mean = _mean(size, counted)
    if settings.method == "ternary":
        none = (TERNARY * mean).float()
        mean = _mean(size, size > none)
    zero = settings.method == "ternary" or not bool(counted.all())
    return Codebook(torch.cat([-mean, mean], dim=1).float(), zero, none)


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    """Return each row's mean of those that are counted, 0 if there are none."""
    numbers = counted.sum(dim=1, keepdim=True).clamp(min=1)
    return (values * counted).sum(dim=1, keepdim=True) / numbers
