"""k-means of numbers: Lloyd's iteration on sorted rows, exact sums, all rows side by side.

On a line a cluster is a run of the sorted values, so that an iteration takes a search for the
borders and two looks at running sums (Lloyd 1982, "Least squares quantization in PCM").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

MAX_ITERATIONS = 300
"""Iterations after which it stops, converged or not."""

Start = Callable[[Tensor, Tensor, int, Generator], Tensor]


def centers(rows: Tensor, clusters: int, start: str, seed: int) -> Tensor:
    """Return the centres of `clusters` clusters of each row, rising, float64 [rows, clusters].

    Zeros take no part.

    Parameters
    ----------
    rows
        Finite numbers [rows, n], n above 0, float32.
    start
        Where it begins, a key of `STARTS`; `seed` serves the random one.

    A cluster without numbers moves to the number that is farthest from its own centre.
    """
    ranked = torch.from_numpy(np.sort(rows.contiguous().numpy(), axis=1)).double()
    counted = ranked != 0
    generator = Generator().manual_seed(seed)
    found = STARTS[start](ranked, counted, clusters, generator).sort(dim=1).values
    sums = pad((ranked * counted).cumsum(dim=1), (1, 0))
    numbers = pad(counted.cumsum(dim=1), (1, 0))
    for _ in range(MAX_ITERATIONS):
        edges = _edges(ranked, found)
        inside = numbers.gather(1, edges).diff(dim=1)
        totals = sums.gather(1, edges).diff(dim=1)
        moved = torch.where(inside > 0, totals / inside.clamp(min=1), found)
        if not inside.all():
            moved = _relocated(found, inside, totals, ranked, counted)
        moved = moved.sort(dim=1).values
        if torch.equal(moved, found):
            break
        found = moved
    return found


def _relocated(
    found: Tensor, inside: Tensor, totals: Tensor, ranked: Tensor, counted: Tensor
) -> Tensor:
    """Return the means, with each empty centre at one of the numbers farthest from their own.

    As scikit-learn does it: those numbers no longer count where they were. `inside` counts the
    numbers of each cluster and `totals` sums them.
    """
    empty = inside == 0
    owner = nearest(ranked, found)
    apart = (ranked - found.gather(1, owner)).abs() * counted
    distance, places = apart.topk(min(int(empty.sum(dim=1).max()), ranked.shape[1]), dim=1)
    farthest, lost = ranked.gather(1, places), owner.gather(1, places)
    rank = (empty.cumsum(dim=1) - 1).clamp(0, places.shape[1] - 1)
    filled = empty & (distance.gather(1, rank) > 0)
    order = torch.arange(places.shape[1]).expand_as(places)
    taken = (order < filled.sum(dim=1, keepdim=True)).double()
    totals = totals.scatter_add(1, lost, -farthest * taken)
    inside = inside.double().scatter_add(1, lost, -taken)
    means = torch.where(inside > 0, totals / inside.clamp(min=1), found)
    return torch.where(filled, farthest.gather(1, rank), means)


def nearest(rows: Tensor, book: Tensor) -> Tensor:
    """Return the number of the nearest of its row's centres for each value, int64 [rows, n].

    `book` rises along each row, [rows, clusters]; on a border the lower one is nearest.
    """
    return torch.searchsorted(_borders(book), rows.contiguous())


def _edges(ranked: Tensor, found: Tensor) -> Tensor:
    inner = torch.searchsorted(ranked, _borders(found), right=True)
    return pad(pad(inner, (0, 1), value=ranked.shape[1]), (1, 0))


def _borders(book: Tensor) -> Tensor:
    return ((book[:, 1:] + book[:, :-1]) / 2).contiguous()


def _linear(ranked: Tensor, counted: Tensor, clusters: int, generator: Generator) -> Tensor:
    low = ranked.masked_fill(~counted, torch.inf).amin(dim=1, keepdim=True)
    high = ranked.masked_fill(~counted, -torch.inf).amax(dim=1, keepdim=True)
    empty = low > high  # nothing takes part
    low, high = low.masked_fill(empty, 0), high.masked_fill(empty, 0)
    return low + (high - low) * torch.linspace(0, 1, clusters, dtype=ranked.dtype)


def _density(ranked: Tensor, counted: Tensor, clusters: int, generator: Generator) -> Tensor:
    numbers = counted.cumsum(dim=1)
    shares = (torch.arange(clusters, dtype=torch.float64) + 0.5) / clusters
    wanted = (shares * numbers[:, -1:]).floor() + 1  # the number among those that take part
    places = torch.searchsorted(numbers, wanted.long()).clamp(max=ranked.shape[1] - 1)
    return ranked.gather(1, places)


def _random(ranked: Tensor, counted: Tensor, clusters: int, generator: Generator) -> Tensor:
    lot = torch.rand(ranked.shape, generator=generator).masked_fill(~counted, 2.0)
    return ranked.gather(1, lot.topk(clusters, dim=1, largest=False).indices)


STARTS: dict[str, Start] = {"linear": _linear, "density": _density, "random": _random}
"""Where Lloyd's iteration begins, by name."""
