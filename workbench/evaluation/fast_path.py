"""Sieves: faster ways to run a model that settle the clear examples and hand on the close ones.

A sieve changes speed and never a count: it settles an example only where its best output leads
by more than its error bound, and what it leaves open goes to a finer sieve and at last to the
judge's float64 verdict.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.domain import Model
from workbench.evaluation.reference import (
    BORDERLINE,
    Predictions,
    classify,
    predict,
    predict_float64,
)
from workbench.runtime.batch import Batch, layout_inputs, layout_weights
from workbench.runtime.cut import cut
from workbench.runtime.shell import shell
from workbench.threads import parallel_map

# What drawn recipes need is in docs/benchmarks.md, from benchmarks/sieve_bound.py.
SAFETY = 2.5
MAX_UNDECIDED = 0.4

_fastest: dict[str, bool] = {}


class FastPath:
    """Predicts for one set of weights: float32 first, bfloat16 once its error has been measured.

    The bound of the bfloat16 sieve is `SAFETY` times the largest change of any difference of two
    outputs that it shows on the examples already run in float32, in proportion to the root of the
    largest output: the error grows with the outputs, but less than they do.
    `bfloat16` says whether to try it; None tries it where it was timed to be faster.

    With a `layer` the network runs from there on only: `first` and `predict` are then given what
    passes the cut before it, and `weights` may differ from the model's in that layer alone.
    """

    def __init__(
        self,
        model: Model,
        weights: Mapping[str, Tensor],
        *,
        bfloat16: bool | None = None,
        layer: str | None = None,
    ) -> None:
        self.model = model
        self.layer = layer
        traits = model.architecture.traits
        self.quick = traits.channels_last
        self.weights = layout_weights(weights, channels_last=self.quick)
        self.bfloat16 = bfloat16 if traits.bfloat16 else False
        # Rounded inputs leave nothing to be sifted, and without float64 nothing decides.
        self.judged = bool(model.spec.inputs) or not traits.float64
        self.coarse: dict[str, Tensor] | None = None
        self.bound = 0.0

    def first(self, examples: Any, passed: Batch | None = None) -> Predictions:
        """Return the classes of the first examples, on which bfloat16 can then be tried."""
        if self.judged:
            return predict(self.model, self.weights, examples)
        inputs = self._inputs(examples) if passed is None else passed
        outputs = self._run_side_by_side(self.weights, inputs)
        self._sample = inputs, outputs
        return self._fine(examples, outputs)

    def calibrate(self) -> None:
        """Learn from the first examples what bfloat16 would have said, and whether it will do."""
        if self.judged:
            return
        inputs, outputs = self._sample
        if not self._tries_bfloat16(inputs):
            return
        coarse = {n: w.bfloat16() if w.is_floating_point() else w for n, w in self.weights.items()}
        rough = self._run_side_by_side(coarse, inputs.to(torch.bfloat16)).float()
        change = rough - outputs
        spread = (change.amax(dim=1) - change.amin(dim=1)) / error_scale(rough)
        self.bound = SAFETY * float(spread.max())
        leads = margin(rough) >= self.bound
        if np.isfinite(self.bound) and float((~leads).float().mean()) <= MAX_UNDECIDED:
            self.coarse = coarse

    def predict(self, examples: Any, passed: Batch | None = None) -> Predictions:
        """Return the classes of more examples, int64 [n]."""
        if self.judged:
            return predict(self.model, self.weights, examples)
        inputs = self._inputs(examples) if passed is None else passed
        if self.coarse is None:
            return self._fine(examples, self._run(self.weights, inputs))
        rough = self._run(self.coarse, inputs.to(torch.bfloat16)).float()
        found = rough.argmax(dim=1).numpy()
        open_ones = np.flatnonzero((~(margin(rough) >= self.bound)).numpy())  # NaN is open too
        if open_ones.size:
            piece = examples[open_ones]
            outputs = self._run(self.weights, inputs[torch.from_numpy(open_ones)])
            found[open_ones] = self._fine(piece, outputs)
        return found

    def _fine(self, examples: Any, outputs: Tensor) -> Predictions:
        classes, certain = classify(outputs, BORDERLINE)
        open_ones = np.flatnonzero(~certain)
        if open_ones.size:
            classes[open_ones] = predict_float64(self.model, self.weights, examples[open_ones])
        return classes

    def _inputs(self, examples: Any) -> Batch:
        return layout_inputs(self.model.task.inputs(examples), channels_last=self.quick)

    def _run(self, weights: Mapping[str, Tensor], inputs: Batch) -> Tensor:
        if self.layer is not None:
            return cut(self.model, self.layer).tail(weights, inputs)
        outputs: Tensor = shell(self.model, fast=self.quick)(weights, inputs)
        return outputs

    def _run_side_by_side(self, weights: Mapping[str, Tensor], inputs: Batch) -> Tensor:
        parts = inputs.chunk(torch.get_num_threads())
        return torch.cat(list(parallel_map(lambda part: self._run(weights, part), parts)))

    def _tries_bfloat16(self, inputs: Batch) -> bool:
        """Time both once per model, layer and process; only speed hangs on the answer."""
        if self.bfloat16 is not None:
            return self.bfloat16
        what = f"{self.model.name} {self.layer or ''}"
        if what not in _fastest:
            coarse = {
                n: w.bfloat16() if w.is_floating_point() else w for n, w in self.weights.items()
            }
            narrow = inputs.to(torch.bfloat16)
            _fastest[what] = _seconds(
                lambda: self._run_side_by_side(coarse, narrow)
            ) < 0.8 * _seconds(lambda: self._run_side_by_side(self.weights, inputs))
        return _fastest[what]


def margin(outputs: Tensor) -> Tensor:
    """Return how far each row's best output leads, in proportion to its scale."""
    best = outputs.topk(2, dim=1).values
    return (best[:, 0] - best[:, 1]) / error_scale(outputs)


def error_scale(outputs: Tensor) -> Tensor:
    """Return what bfloat16's error in each row is measured in: the root of its largest output."""
    return outputs.abs().amax(dim=1).clamp(min=1e-30).sqrt()


def _seconds(run: Callable[[], Tensor]) -> float:
    taken = []
    for _ in range(3):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return min(taken)
