"""Fast approximate evaluation of weights on a fixed random sample of examples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from workbench.cancel import CancelToken
from workbench.domain import Model, Split
from workbench.evaluation.batch_size import batch_size_for
from workbench.runtime.shell import shell
from workbench.training.running_metric import RunningMetric, Sample

EXAMPLES = 1000


class QuickEvaluation:
    """Estimates the metric of weights of `model` on `EXAMPLES` random examples of `split`.

    All weights are evaluated on the same examples, so that differences between them are more
    precise than the values. It uses float32 without a reference evaluation, because borderline
    cases do not matter for an estimate.
    """

    def __init__(self, model: Model, split: Split, seed: int = 0) -> None:
        self.model = model
        chosen = np.random.default_rng(seed).permutation(len(split))[:EXAMPLES]
        metric = RunningMetric.of(model.task, split)
        self.sample = Sample(split.examples[chosen], split.labels[chosen], metric)

    def evaluate(self, weights: Mapping[str, Tensor], cancel: CancelToken) -> float:
        """Return the estimated metric of `weights`.

        Raises
        ------
        Cancelled
            If `cancel` is cancelled between two batches.
        """
        run = shell(self.model, fast=True)

        def outputs(examples: object) -> object:
            return run(weights, self.model.task.inputs(examples))

        return self.sample.evaluate(outputs, batch_size_for(self.model), cancel)
