"""One-dimensional k-means: Lloyd's algorithm on sorted rows, all rows at once.

On a line, a cluster is a run of the sorted values. An iteration is a binary search for the borders
and two lookups in cumulative sums (Lloyd 1982, "Least squares quantization in PCM").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

MAX_ITERATIONS = 300
"""Lloyd's algorithm stops here even if it has not converged."""

Start = Callable[[Tensor, Tensor, int, Generator], Tensor]


def centers(rows: Tensor, clusters: int, start: str, seed: int) -> Tensor:
    """Return the cluster centers of each row, ignoring zeros.

    A cluster that becomes empty moves to the value that is farthest from its own center.

    Parameters
    ----------
    rows
        Finite float32 tensor of shape [rows, n], n > 0.
    clusters
        The number of clusters per row.
    start
        The initialization, a key of `STARTS`.
    seed
        For the random initialization.

    Returns
    -------
    Tensor
        Rising centers, float64 [rows, clusters].
    """
    ranked = torch.from_numpy(np.sort(rows.contiguous().numpy(), axis=1)).double()
    counted = ranked != 0
    generator = Generator().manual_seed(seed)
    book = STARTS[start](ranked, counted, clusters, generator).sort(dim=1).values
    sums = pad((ranked * counted).cumsum(dim=1), (1, 0))
    counts = pad(counted.cumsum(dim=1), (1, 0))
    for _ in range(MAX_ITERATIONS):
        edges = _edges(ranked, book)
        sizes = counts.gather(1, edges).diff(dim=1)
        totals = sums.gather(1, edges).diff(dim=1)
        moved = torch.where(sizes > 0, totals / sizes.clamp(min=1), book)
        if not sizes.all():
            moved = _fill_empty(book, sizes, totals, ranked, counted)
        moved = moved.sort(dim=1).values
        if torch.equal(moved, book):
            break
        book = moved
    return book


def _fill_empty(
    book: Tensor, sizes: Tensor, totals: Tensor, ranked: Tensor, counted: Tensor
) -> Tensor:
    """Return the means, with empty clusters moved to the values farthest from their centers.

    As in scikit-learn, these values are removed from their old clusters. `sizes` and `totals` are
    the number and sum of the values in each cluster.
    """
    empty = sizes == 0
    owner = nearest(ranked, book)
    distances = (ranked - book.gather(1, owner)).abs() * counted
    count = min(int(empty.sum(dim=1).max()), ranked.shape[1])
    distance, places = distances.topk(count, dim=1)
    farthest, old_owner = ranked.gather(1, places), owner.gather(1, places)
    rank = (empty.cumsum(dim=1) - 1).clamp(0, places.shape[1] - 1)
    filled = empty & (distance.gather(1, rank) > 0)
    order = torch.arange(places.shape[1]).expand_as(places)
    taken = (order < filled.sum(dim=1, keepdim=True)).double()
    totals = totals.scatter_add(1, old_owner, -farthest * taken)
    sizes = sizes.double().scatter_add(1, old_owner, -taken)
    means = torch.where(sizes > 0, totals / sizes.clamp(min=1), book)
    return torch.where(filled, farthest.gather(1, rank), means)


def nearest(rows: Tensor, book: Tensor) -> Tensor:
    """Return the index of the nearest center of its row for each value, int64 [rows, n].

    `book` [rows, clusters] rises along each row. A tie goes to the lower center.
    """
    return torch.searchsorted(_borders(book), rows.contiguous())


def _edges(ranked: Tensor, book: Tensor) -> Tensor:
    inner = torch.searchsorted(ranked, _borders(book), right=True)
    return pad(pad(inner, (0, 1), value=ranked.shape[1]), (1, 0))


def _borders(book: Tensor) -> Tensor:
    return ((book[:, 1:] + book[:, :-1]) / 2).contiguous()


def _linear(ranked: Tensor, counted: Tensor, clusters: int, generator: Generator) -> Tensor:
    low = ranked.masked_fill(~counted, torch.inf).amin(dim=1, keepdim=True)
    high = ranked.masked_fill(~counted, -torch.inf).amax(dim=1, keepdim=True)
    empty = low > high  # all values are zero
    low, high = low.masked_fill(empty, 0), high.masked_fill(empty, 0)
    return low + (high - low) * torch.linspace(0, 1, clusters, dtype=ranked.dtype)


def _density(ranked: Tensor, counted: Tensor, clusters: int, generator: Generator) -> Tensor:
    counts = counted.cumsum(dim=1)
    quantiles = (torch.arange(clusters, dtype=torch.float64) + 0.5) / clusters
    ranks = (quantiles * counts[:, -1:]).floor() + 1  # among the values that are not zero
    places = torch.searchsorted(counts, ranks.long()).clamp(max=ranked.shape[1] - 1)
    return ranked.gather(1, places)


def _random(ranked: Tensor, counted: Tensor, clusters: int, generator: Generator) -> Tensor:
    keys = torch.rand(ranked.shape, generator=generator).masked_fill(~counted, 2.0)
    return ranked.gather(1, keys.topk(clusters, dim=1, largest=False).indices)


STARTS: dict[str, Start] = {"linear": _linear, "density": _density, "random": _random}
"""The initial centers, by name."""
