"""A quick look at how good some weights are: the same random examples every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from torch import Tensor

from workbench.errors import Cancelled
from workbench.evaluation.pace import batch_of
from workbench.training.objective import hits
from workbench.zoo import Model, Split
from workbench.zoo.forms import targets
from workbench.zoo.shell import shell

EXAMPLES = 1000


class QuickLook:
    """Estimates the accuracy of weights of `model` on `EXAMPLES` examples of `split`.

    Everybody is measured on the same examples, so that differences are finer than each figure.
    Plain float32 and no judge: an estimate does not hang on the last example.
    """

    def __init__(self, model: Model, split: Split, seed: int = 0) -> None:
        self.model = model
        chosen = np.random.default_rng(seed).permutation(len(split))[:EXAMPLES]
        self.examples = split.examples[chosen]
        self.labels = split.labels[chosen]

    def accuracy(self, weights: Mapping[str, Tensor], cancelled: Callable[[], bool]) -> float:
        """Return the share of the examples that `weights` get right, 0 to 1.

        Raises
        ------
        Cancelled
            As soon as `cancelled()` answers True between two batches.
        """
        run = shell(self.model, fast=True)
        size, right = batch_of(self.model), 0.0
        for start in range(0, len(self.labels), size):
            if cancelled():
                raise Cancelled("Training was stopped.")
            batch = slice(start, start + size)
            outputs = run(weights, self.model.task.inputs(self.examples[batch]))
            right += hits(outputs, targets(self.labels[batch]))
        return right / len(self.labels)
