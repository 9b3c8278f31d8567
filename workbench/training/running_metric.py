"""Metrics during training. They are approximate: the reference evaluation is separate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from workbench.cancel import CancelToken
from workbench.domain import Split, Task
from workbench.domain.inputs import targets
from workbench.domain.metric import ACCURACY, Metric
from workbench.domain.sum_metrics import SUM_METRICS, LabelScale

Measure = Callable[[list[Any], list[Any]], float]


@dataclass(frozen=True)
class RunningMetric:
    """Computes `metric` from model outputs, batch by batch.

    Attributes
    ----------
    metric : Metric
    measure : callable or None
        The user's function, for a metric that needs the outputs of all batches at once.
    labels : LabelScale
        The scale of the labels, for regression metrics.
    """

    metric: Metric = ACCURACY
    measure: Measure | None = None
    labels: LabelScale = field(default_factory=LabelScale)

    @classmethod
    def of(cls, task: Task, split: Split) -> RunningMetric:
        """Return the running metric of a task on `split`."""
        return cls(task.metric, task.measure, LabelScale.of(task, split))

    @property
    def is_additive(self) -> bool:
        """Whether the metric follows from sums over batches, so that each batch has a value."""
        return self.metric.counts == "classes" or self.metric.counts in SUM_METRICS

    def batch_state(self, outputs: Any, labels: Any) -> Any:
        """Return what `compute` needs of a batch: sums, or all data if the metric is not additive.

        Parameters
        ----------
        outputs, labels
            Tensors of one batch, or any objects if the metric is not additive.
        """
        if self.metric.counts == "classes":
            return _hits(outputs, labels), len(labels)
        if self.metric.counts in SUM_METRICS:
            return SUM_METRICS[self.metric.counts].rows(outputs.detach(), labels).sum(axis=0)
        return outputs, labels

    def compute(self, states: Sequence[Any]) -> float:
        """Return the value of the metric over several batches, from their states in order."""
        if self.metric.counts == "classes":
            return float(sum(hits for hits, _ in states) / sum(count for _, count in states))
        if self.metric.counts in SUM_METRICS:
            figures = SUM_METRICS[self.metric.counts].figures(sum(states), self.labels)
            return figures[self.metric.name]
        assert self.measure is not None  # such a metric has a function
        return self.measure([outputs for outputs, _ in states], [labels for _, labels in states])


@dataclass(frozen=True, eq=False)
class Sample:
    """Examples and labels in stored form, on which weights are evaluated repeatedly."""

    examples: Any
    labels: Any
    running_metric: RunningMetric

    def first(self, examples: int) -> Sample:
        """Return the first examples as a sample of their own."""
        return replace(self, examples=self.examples[:examples], labels=self.labels[:examples])

    def evaluate(self, run: Callable[[Any], Any], batch: int, cancel: CancelToken) -> float:
        """Return the metric of the outputs of `run`, which gets `batch` examples at a time.

        Raises
        ------
        Cancelled
            If `cancel` is cancelled between two batches.
        """
        states = []
        for start in range(0, len(self.labels), batch):
            cancel.check()
            rows = slice(start, start + batch)
            outputs = run(self.examples[rows])
            states.append(self.running_metric.batch_state(outputs, targets(self.labels[rows])))
        return self.running_metric.compute(states)


def _hits(outputs: Tensor, labels: Tensor) -> float:
    correct = (outputs.detach().argmax(dim=-1) == labels).float()
    return float(correct.mean()) * len(labels)
