"""Fast path: predict clear examples in low precision, and pass borderline ones on.

A prediction is accepted only if the best output leads by more than an error bound. The remaining
examples are evaluated in float32, and then in float64 as in the reference evaluation. The bfloat16
bound is measured on the first examples; in all tests, the predictions equal the reference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
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

# What random recipes need is in docs/benchmarks.md, from benchmarks/fast_path_bound.py.
SAFETY = 2.5
MAX_UNDECIDED = 0.4

_bfloat16_is_faster: dict[str, bool] = {}


class FastPath:
    """Predicts with one set of weights: in float32, then in bfloat16 once its error is measured.

    The bfloat16 error bound is `SAFETY` times the largest change of the difference of two outputs
    on the examples already run in float32, relative to the square root of the largest output: the
    error grows with the outputs, but more slowly.

    Parameters
    ----------
    bfloat16
        Whether to try bfloat16; None tries it if it was timed to be faster.
    layer
        Run the network from this layer on only. `first` and `predict` then take its `inputs`, and
        `weights` may differ from the model's only in this layer.
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
        self.channels_last = traits.channels_last
        self.weights = layout_weights(weights, channels_last=self.channels_last)
        self.bfloat16 = bfloat16 if traits.bfloat16 else False
        # Quantized activations need float64 throughout; a module without float64 has no fast path.
        self.reference_only = bool(model.spec.inputs) or not traits.float64
        self.bfloat16_weights: dict[str, Tensor] | None = None
        self.bound = 0.0

    def first(self, examples: Any, inputs: Batch | None = None) -> Predictions:
        """Predict the first examples in float32, and keep them to calibrate bfloat16."""
        if self.reference_only:
            return predict(self.model, self.weights, examples)
        inputs = self._inputs(examples) if inputs is None else inputs
        outputs = self._run_parallel(self.weights, inputs)
        self._sample = inputs, outputs
        return self._classify_float32(examples, outputs)

    def calibrate(self) -> None:
        """Measure the bfloat16 error on the first examples, and decide whether to use bfloat16."""
        if self.reference_only:
            return
        inputs, outputs = self._sample
        if not self._use_bfloat16(inputs):
            return
        weights = self._to_bfloat16()
        rough = self._run_parallel(weights, inputs.to(torch.bfloat16)).float()
        error = rough - outputs
        spread = (error.amax(dim=1) - error.amin(dim=1)) / error_scale(rough)
        self.bound = SAFETY * float(spread.max())
        decided = margin(rough) >= self.bound
        if np.isfinite(self.bound) and float((~decided).float().mean()) <= MAX_UNDECIDED:
            self.bfloat16_weights = weights

    def predict(self, examples: Any, inputs: Batch | None = None) -> Predictions:
        """Return the classes of more examples, int64 of shape [n]."""
        if self.reference_only:
            return predict(self.model, self.weights, examples)
        inputs = self._inputs(examples) if inputs is None else inputs
        if self.bfloat16_weights is None:
            return self._classify_float32(examples, self._run(self.weights, inputs))
        rough = self._run(self.bfloat16_weights, inputs.to(torch.bfloat16)).float()
        classes = rough.argmax(dim=1).numpy()
        # negated, so that NaN is undecided
        undecided = np.flatnonzero((~(margin(rough) >= self.bound)).numpy())
        if undecided.size:
            outputs = self._run(self.weights, inputs[torch.from_numpy(undecided)])
            classes[undecided] = self._classify_float32(examples[undecided], outputs)
        return classes

    def _classify_float32(self, examples: Any, outputs: Tensor) -> Predictions:
        classes, certain = classify(outputs, BORDERLINE)
        borderline = np.flatnonzero(~certain)
        if borderline.size:
            classes[borderline] = predict_float64(self.model, self.weights, examples[borderline])
        return classes

    def _to_bfloat16(self) -> dict[str, Tensor]:
        return {n: w.bfloat16() if w.is_floating_point() else w for n, w in self.weights.items()}

    def _inputs(self, examples: Any) -> Batch:
        return layout_inputs(self.model.task.inputs(examples), channels_last=self.channels_last)

    def _run(self, weights: Mapping[str, Tensor], inputs: Batch) -> Tensor:
        if self.layer is not None:
            return cut(self.model, self.layer).tail(weights, inputs)
        outputs: Tensor = shell(self.model, fast=self.channels_last)(weights, inputs)
        return outputs

    def _run_parallel(self, weights: Mapping[str, Tensor], inputs: Batch) -> Tensor:
        parts = inputs.chunk(torch.get_num_threads())
        return torch.cat(list(parallel_map(lambda part: self._run(weights, part), parts)))

    def _use_bfloat16(self, inputs: Batch) -> bool:
        """Time both precisions once per model, layer and process; this affects only speed.

        A processor without bfloat16 is not timed: it takes several times longer.
        """
        if self.bfloat16 is not None:
            return self.bfloat16
        if not processor_has_bfloat16():
            return False
        key = f"{self.model.name} {self.layer or ''}"
        if key not in _bfloat16_is_faster:
            weights, narrow = self._to_bfloat16(), inputs.to(torch.bfloat16)
            bfloat16 = _seconds(lambda: self._run_parallel(weights, narrow))
            float32 = _seconds(lambda: self._run_parallel(self.weights, inputs))
            _bfloat16_is_faster[key] = bfloat16 < 0.8 * float32
        return _bfloat16_is_faster[key]


@cache
def processor_has_bfloat16() -> bool:
    """Return whether the processor multiplies in bfloat16; True if PyTorch does not say."""
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return supported is None or bool(supported())


def margin(outputs: Tensor) -> Tensor:
    """Return the difference of the two largest outputs of each row, relative to `error_scale`."""
    best = outputs.topk(2, dim=1).values
    return (best[:, 0] - best[:, 1]) / error_scale(outputs)


def error_scale(outputs: Tensor) -> Tensor:
    """Return the unit of the bfloat16 error of each row: the square root of its largest output."""
    return outputs.abs().amax(dim=1).clamp(min=1e-30).sqrt()


def _seconds(run: Callable[[], Tensor]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)
