"""A quick look at how good some weights are: the same random examples every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from torch import Tensor

from workbench.domain import Model, Split
from workbench.evaluation.batch_size import batch_size_for
from workbench.runtime.shell import shell
from workbench.training.running_metric import RunningMetric, Sample

EXAMPLES = 1000


class QuickEvaluation:
    """Estimates the figure of weights of `model` on `EXAMPLES` examples of `split`.

    Everybody is measured on the same examples, so that differences are finer than each figure.
    Plain float32 and no judge: an estimate does not hang on the last example.
    """

    def __init__(self, model: Model, split: Split, seed: int = 0) -> None:
        self.model = model
        chosen = np.random.default_rng(seed).permutation(len(split))[:EXAMPLES]
        gauge = RunningMetric.of(model.task, split)
        self.sample = Sample(split.examples[chosen], split.labels[chosen], gauge)

    def figure(self, weights: Mapping[str, Tensor], cancelled: Callable[[], bool]) -> float:
        """Return what `weights` come to on the examples, by the task's metric.

        Raises
        ------
        Cancelled
            As soon as `cancelled()` answers True between two batches.
        """
        run = shell(self.model, fast=True)

        def outputs(examples: object) -> object:
            return run(weights, self.model.task.inputs(examples))

        return self.sample.figure(outputs, batch_size_for(self.model), cancelled)
