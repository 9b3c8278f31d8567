"""What a network sees of the weights being trained: pruned and rounded, differentiably.

The same function of the same tensors at every step: zeros stay zero because the mask is applied
each time, and nothing is left behind in a module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from workbench.compression.axes import stats_to_canonical, to_canonical
from workbench.compression.prune import masks
from workbench.compression.qparams import QParams
from workbench.compression.quantize import bits_of, join_rows, split_rows
from workbench.compression.quantize import fit_qparams as fit_grids
from workbench.compression.roles import Roles
from workbench.compression.share import Codebook, clusters_of, fit_codebook, rows_of
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Prune, Recipe

REFRESH = 10
"""Looks at the weights after which the range of a straight-through quantiser is found anew."""


class FakeQuantizer:
    """The masks and quantisers of `recipe` over weights in training.

    `kept` are the masks by name (True: keep), each of its tensor's shape, turned where it has axes
    of its own, and `sparsity` the share of zeros that they hold, of the tensors they cover. `roles`
    say which weights are compressed, and which of those turned; those that look like layers unless
    given. With `quick`, weights are laid out for quick layers.
    """

    def __init__(
        self,
        recipe: Recipe,
        weights: Mapping[str, Tensor],
        stats: CalibrationStats | None = None,
        roles: Roles | None = None,
        *,
        quick: bool = True,
    ) -> None:
        assert recipe.train is not None
        self.quick = quick
        self.prune = recipe.prune
        self.quantize = recipe.quantize
        self.share = recipe.share
        self.rounding = recipe.train.rounding
        roles = roles or Roles.of(weights)
        self.names = tuple(name for name in roles.layers if name in weights)
        self.axes = roles.permuted_axes(weights)
        self.stats = stats_to_canonical(stats or CalibrationStats(), self.axes)
        self.kept: dict[str, Tensor] = {}
        self._places: dict[str, Tensor] = {}  # flat, of what is kept
        self.sparsity = 0.0
        self.scales: dict[str, list[Tensor]] = {}  # logarithms, where step sizes are learned
        self._grids: dict[str, list[QParams]] = {}
        self._books: dict[str, Codebook] = {}
        self._age = 0

    def update_masks(self, weights: Mapping[str, Tensor], share: float) -> None:
        """Set `share` of the asked zeros; what was zero stays zero."""
        if self.prune is None:
            return
        held = {
            n: w.detach() * self.kept[n] if n in self.kept else w.detach()
            for n, w in to_canonical(weights, self.axes).items()
        }
        asked = _part_of(self.prune, share)
        self._hold(
            {
                name: mask if name not in self.kept else mask & self.kept[name]
                for name, mask in masks(held, asked, self.stats, self.names).items()
            }
        )

    def init_scales(self, weights: Mapping[str, Tensor]) -> None:
        """Start the learned step sizes where they fit best, if the recipe asks for them."""
        if self.quantize is None or self.rounding != "learned":
            return
        for name in self.names:
            bits = bits_of(name, self.quantize)
            if bits < 16 and not self._clusters(name):
                weight = self._turned(name, weights[name].detach())
                grids = fit_grids(self._masked(name, weight), self.quantize, bits)
                self._grids[name] = grids
                self.scales[name] = [grid.scale.log().requires_grad_() for grid in grids]

    def __call__(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the weights as the network sees them now."""
        seen = {}
        fresh = self._age % REFRESH == 0
        self._age += 1
        for name, weight in weights.items():
            masked = self._masked(name, self._turned(name, weight))
            rounds = name in self.names and self.rounding != "afterwards"
            rounded = self._rounded(name, masked, fresh) if rounds else masked
            if name in self.axes:
                rounded = self.axes[name].back(rounded, weight.shape)
            seen[name] = _quick(rounded) if self.quick else rounded
        return seen

    def qparams(self) -> dict[str, list[QParams]]:
        """Return the learned quantisers by name, for the file."""
        return {
            name: [
                replace(g, scale=s.detach().exp())
                for g, s in zip(self._grids[name], scales, strict=True)
            ]
            for name, scales in self.scales.items()
        }

    def state(self) -> dict[str, object]:
        """Return what a checkpoint must hold, as plain tensors and numbers."""
        grids = {n: [(g.scale, g.zero_point, g.top) for g in gs] for n, gs in self._grids.items()}
        scales = {name: [s.detach().clone() for s in found] for name, found in self.scales.items()}
        books = {name: (one.values, one.zero, one.threshold) for name, one in self._books.items()}
        return {
            "kept": dict(self.kept),
            "scales": scales,
            "grids": grids,
            "books": books,
            "age": self._age,
        }

    def load(self, state: Mapping[str, object]) -> None:
        """Take over what `state` returned."""
        self._hold(dict(state["kept"]))  # type: ignore[call-overload]
        self._age = int(state["age"])  # type: ignore[call-overload]
        grids: Mapping[str, list[tuple[Tensor, Tensor, int]]] = state["grids"]  # type: ignore[assignment]
        self._grids = {name: [QParams(*one) for one in found] for name, found in grids.items()}
        books: Mapping[str, tuple[Tensor, bool, Tensor]] = state["books"]  # type: ignore[assignment]
        self._books = {name: Codebook(*one) for name, one in books.items()}
        scales: Mapping[str, list[Tensor]] = state["scales"]  # type: ignore[assignment]
        with torch.no_grad():
            for name, found in scales.items():
                for mine, saved in zip(self.scales[name], found, strict=True):
                    mine.copy_(saved)

    def _hold(self, kept: dict[str, Tensor]) -> None:
        total = sum(mask.numel() for mask in kept.values())
        held = sum(int(mask.sum()) for mask in kept.values())
        self.kept = kept
        self._places = {name: mask.flatten().nonzero()[:, 0] for name, mask in kept.items()}
        self.sparsity = 1 - held / total if total else 0.0

    def _turned(self, name: str, weight: Tensor) -> Tensor:
        return self.axes[name].turned(weight) if name in self.axes else weight

    def _masked(self, name: str, weight: Tensor) -> Tensor:
        return weight * self.kept[name] if name in self.kept else weight

    def _rounded(self, name: str, weight: Tensor, fresh: bool) -> Tensor:
        if clusters := self._clusters(name):
            return self._shared(name, weight, clusters, fresh)
        bits = bits_of(name, self.quantize) if self.quantize else 32
        if bits == 32 or self.quantize is None:
            return weight
        if bits == 16:
            narrow = torch.bfloat16 if self.quantize.format == "bf16" else torch.float16
            return _straight(weight.detach().to(narrow).float(), weight)
        if name not in self.scales and (fresh or name not in self._grids):
            self._grids[name] = fit_grids(weight.detach(), self.quantize, bits)
        cut = split_rows(weight, self.quantize)
        grids = self._grids[name]
        if name in self.scales:
            logs = self.scales[name]
            rounded = [_learned(p, g, s) for p, g, s in zip(cut, grids, logs, strict=True)]
        else:
            rounded = [_straight(g.round(p.detach()), p) for p, g in zip(cut, grids, strict=True)]
        return join_rows(rounded, weight, self.quantize)

    def _clusters(self, name: str) -> int:
        return clusters_of(name, self.share) if self.share is not None else 0

    def _shared(self, name: str, weight: Tensor, clusters: int, fresh: bool) -> Tensor:
        """Return `weight` as its shared values, with the gradient of the weights themselves.

        Where one codebook serves the tensor, only what pruning kept is looked at: zeros are most of
        it, and stay zero.
        """
        assert self.share is not None
        rows = rows_of(weight, self.share)
        places = self._places.get(name) if len(rows) == 1 else None
        looked_at = rows if places is None else rows[:, places]
        if fresh or name not in self._books:
            self._books[name] = fit_codebook(looked_at, self.share, clusters)
        rounded = self._books[name].round(looked_at)
        if places is not None:
            rounded = torch.zeros_like(rows).index_copy_(1, places, rounded)
        return _straight(rounded.view(weight.shape), weight)


def _quick(weight: Tensor) -> Tensor:
    """Return `weight` in the layout in which convolutions are quick; masks and codes are not."""
    return weight.contiguous(memory_format=torch.channels_last) if weight.ndim == 4 else weight


def _part_of(prune: Prune, share: float) -> Prune:
    layers = {name: value * share for name, value in prune.layers.items()}
    return replace(prune, sparsity=prune.sparsity * share, layers=layers)


def _straight(value: Tensor, through: Tensor) -> Tensor:
    """Return exactly `value`, with the gradient of `through`."""
    return value + (through - through.detach())


def _learned(piece: Tensor, grid: QParams, log_scale: Tensor) -> Tensor:
    """Return `piece` [rows, n] on a grid whose scale has a gradient (arXiv 1902.08153, eq. 3).

    The gradient of the scale is divided by √(n · levels), as there; the logarithm keeps the scale
    positive, and with Adam and its like makes steps relative to it. The values are the grid's own,
    bit by bit, because the file holds those.
    """
    now = replace(grid, scale=log_scale.detach().exp())
    codes = now.codes(piece.detach())
    damp = (piece.shape[1] * max(1, grid.top // 2)) ** -0.5
    log_scale = log_scale * damp + (log_scale * (1 - damp)).detach()
    scale = log_scale.exp().unsqueeze(1)
    zero = grid.zero_point.unsqueeze(1)
    smooth = _straight(codes, (piece / scale + zero).clamp(0, grid.top))
    return _straight(now.values(codes), (smooth - zero) * scale)
