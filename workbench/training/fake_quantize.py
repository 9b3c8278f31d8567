"""Fake quantization: the weights as the network sees them in training, pruned and rounded.

Differentiable, and a pure function of the weights at every step. Masks are applied each time, so
zeros stay zero. Modules are not changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from workbench.compression.axes import stats_to_canonical, to_canonical
from workbench.compression.prune import masks
from workbench.compression.qparams import QParams
from workbench.compression.quantize import bits_of, fit_qparams, join_rows, split_rows
from workbench.compression.roles import Roles
from workbench.compression.share import Codebook, clusters_of, fit_codebook, rows_of
from workbench.compression.stats import CalibrationStats
from workbench.recipe import Prune, Recipe

REFRESH = 10
"""Forward passes after which straight-through quantization ranges are fitted again."""


class FakeQuantizer:
    """Applies the pruning masks and quantization of a recipe to weights in training.

    Parameters
    ----------
    recipe, weights
        The recipe and the initial weights.
    stats
        Calibration statistics for the pruning criterion.
    roles
        Which weights are compressed, and which of them have permuted axes. Inferred from the
        weights if not given.
    channels_last
        Return convolution weights in channels-last layout.

    Attributes
    ----------
    masks : dict of str to bool tensor
        True where a weight remains. In canonical axis order.
    sparsity : float
        Share of zeros in the masks.
    scales : dict of str to list of tensor
        Logarithms of the learned step sizes.
    """

    def __init__(
        self,
        recipe: Recipe,
        weights: Mapping[str, Tensor],
        stats: CalibrationStats | None = None,
        roles: Roles | None = None,
        *,
        channels_last: bool = True,
    ) -> None:
        assert recipe.train is not None
        self.channels_last = channels_last
        self.prune = recipe.prune
        self.quantize = recipe.quantize
        self.share = recipe.share
        self.rounding = recipe.train.rounding
        roles = roles or Roles.of(weights)
        self.names = tuple(name for name in roles.layers if name in weights)
        self.axes = roles.permuted_axes(weights)
        self.stats = stats_to_canonical(stats or CalibrationStats(), self.axes)
        self.masks: dict[str, Tensor] = {}
        self._remaining: dict[str, Tensor] = {}  # flat indices of weights that are not pruned
        self.sparsity = 0.0
        self.scales: dict[str, list[Tensor]] = {}
        self._qparams: dict[str, list[QParams]] = {}
        self._codebooks: dict[str, Codebook] = {}
        self._passes = 0

    def update_masks(self, weights: Mapping[str, Tensor], share: float) -> None:
        """Set `share` of the target zeros. Weights that were pruned before stay zero."""
        if self.prune is not None:
            self._set_masks(self.masks_at(weights, share))

    def masks_at(self, weights: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
        """Return the masks that `update_masks` sets, without setting them."""
        if self.prune is None:
            return {}
        pruned = {
            name: self._masked(name, weight.detach())
            for name, weight in to_canonical(weights, self.axes).items()
        }
        target = _scaled(self.prune, share)
        return {
            name: mask if name not in self.masks else mask & self.masks[name]
            for name, mask in masks(pruned, target, self.stats, self.names).items()
        }

    def init_scales(self, weights: Mapping[str, Tensor]) -> None:
        """Initialize the learned step sizes to the best fit, if the recipe learns them."""
        if self.quantize is None or self.rounding != "learned":
            return
        for name in self.names:
            bits = bits_of(name, self.quantize)
            if bits < 16 and not self._clusters(name):
                weight = self._canonical(name, weights[name].detach())
                fitted = fit_qparams(self._masked(name, weight), self.quantize, bits)
                self._qparams[name] = fitted
                self.scales[name] = [q.scale.log().requires_grad_() for q in fitted]

    def __call__(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the pruned and rounded weights."""
        seen = {}
        refresh = self._passes % REFRESH == 0
        self._passes += 1
        for name, weight in weights.items():
            masked = self._masked(name, self._canonical(name, weight))
            rounds = name in self.names and self.rounding != "afterwards"
            rounded = self._rounded(name, masked, refresh) if rounds else masked
            if name in self.axes:
                rounded = self.axes[name].from_canonical(rounded, weight.shape)
            seen[name] = _channels_last(rounded) if self.channels_last else rounded
        return seen

    def qparams(self) -> dict[str, list[QParams]]:
        """Return the learned quantization parameters by name, for the file."""
        return {
            name: [
                replace(q, scale=s.detach().exp())
                for q, s in zip(self._qparams[name], scales, strict=True)
            ]
            for name, scales in self.scales.items()
        }

    def state(self) -> dict[str, object]:
        """Return the state for a checkpoint, as tensors and plain values."""
        qparams = {
            n: [(q.scale, q.zero_point, q.top) for q in qs] for n, qs in self._qparams.items()
        }
        scales = {name: [s.detach().clone() for s in logs] for name, logs in self.scales.items()}
        books = {name: (b.values, b.zero, b.threshold) for name, b in self._codebooks.items()}
        return {
            "kept": dict(self.masks),
            "scales": scales,
            "grids": qparams,
            "books": books,
            "age": self._passes,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
        self._set_masks(dict(state["kept"]))
        self._passes = int(state["age"])
        self._qparams = {n: [QParams(*q) for q in saved] for n, saved in state["grids"].items()}
        self._codebooks = {name: Codebook(*saved) for name, saved in state["books"].items()}
        with torch.no_grad():
            for name, logs in state["scales"].items():
                for scale, saved in zip(self.scales[name], logs, strict=True):
                    scale.copy_(saved)

    def _set_masks(self, masks: dict[str, Tensor]) -> None:
        total = sum(mask.numel() for mask in masks.values())
        remaining = sum(int(mask.sum()) for mask in masks.values())
        self.masks = masks
        self._remaining = {name: mask.flatten().nonzero()[:, 0] for name, mask in masks.items()}
        self.sparsity = 1 - remaining / total if total else 0.0

    def _canonical(self, name: str, weight: Tensor) -> Tensor:
        return self.axes[name].to_canonical(weight) if name in self.axes else weight

    def _masked(self, name: str, weight: Tensor) -> Tensor:
        return weight * self.masks[name] if name in self.masks else weight

    def _rounded(self, name: str, weight: Tensor, refresh: bool) -> Tensor:
        if clusters := self._clusters(name):
            return self._shared(name, weight, clusters, refresh)
        bits = bits_of(name, self.quantize) if self.quantize else 32
        if bits == 32 or self.quantize is None:
            return weight
        if bits == 16:
            narrow = torch.bfloat16 if self.quantize.format == "bf16" else torch.float16
            return _straight_through(weight.detach().to(narrow).float(), weight)
        if name not in self.scales and (refresh or name not in self._qparams):
            self._qparams[name] = fit_qparams(weight.detach(), self.quantize, bits)
        pieces = split_rows(weight, self.quantize)
        qparams = self._qparams[name]
        if name in self.scales:
            logs = self.scales[name]
            rounded = [_learned(p, q, s) for p, q, s in zip(pieces, qparams, logs, strict=True)]
        else:
            rounded = [
                _straight_through(q.round(p.detach()), p)
                for p, q in zip(pieces, qparams, strict=True)
            ]
        return join_rows(rounded, weight, self.quantize)

    def _clusters(self, name: str) -> int:
        return clusters_of(name, self.share) if self.share is not None else 0

    def _shared(self, name: str, weight: Tensor, clusters: int, refresh: bool) -> Tensor:
        """Return `weight` rounded to shared values, with a straight-through gradient.

        If one codebook serves the tensor, only the remaining weights are rounded: pruned ones stay
        zero, and they are most of a sparse tensor.
        """
        assert self.share is not None
        rows = rows_of(weight, self.share)
        remaining = self._remaining.get(name) if len(rows) == 1 else None
        values = rows if remaining is None else rows[:, remaining]
        if refresh or name not in self._codebooks:
            self._codebooks[name] = fit_codebook(values, self.share, clusters)
        rounded = self._codebooks[name].round(values)
        if remaining is not None:
            rounded = torch.zeros_like(rows).index_copy_(1, remaining, rounded)
        return _straight_through(rounded.view(weight.shape), weight)


def _channels_last(weight: Tensor) -> Tensor:
    """Return `weight` in the layout that is fast for convolutions, which rounding has lost."""
    return weight.contiguous(memory_format=torch.channels_last) if weight.ndim == 4 else weight


def _scaled(prune: Prune, share: float) -> Prune:
    layers = {name: value * share for name, value in prune.layers.items()}
    return replace(prune, sparsity=prune.sparsity * share, layers=layers)


def _straight_through(value: Tensor, source: Tensor) -> Tensor:
    """Return exactly `value`, with the gradient of `source`."""
    return value + (source - source.detach())


def _learned(piece: Tensor, qparams: QParams, log_scale: Tensor) -> Tensor:
    """Return `piece` [rows, n] rounded with a learnable scale (LSQ, arXiv 1902.08153, eq. 3).

    As in the paper, the gradient of the scale is divided by √(n · levels). Learning the logarithm
    keeps the scale positive and makes the steps of adaptive optimizers relative to it. The values
    are bit-identical to those of the file.
    """
    current = replace(qparams, scale=log_scale.detach().exp())
    codes = current.codes(piece.detach())
    damp = (piece.shape[1] * max(1, qparams.top // 2)) ** -0.5
    log_scale = log_scale * damp + (log_scale * (1 - damp)).detach()
    scale = log_scale.exp().unsqueeze(1)
    zero = qparams.zero_point.unsqueeze(1)
    smooth = _straight_through(codes, (piece / scale + zero).clamp(0, qparams.top))
    return _straight_through(current.values(codes), (smooth - zero) * scale)
