"""What outputs come to by a task's metric while a training is under way: quickly, with no judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from workbench.domain import Split, Task
from workbench.domain.inputs import targets
from workbench.domain.metric import ACCURACY, Metric
from workbench.domain.sum_metrics import SUM_METRICS, label_variance
from workbench.errors import Cancelled

Measure = Callable[[list[Any], list[Any]], float]


@dataclass(frozen=True)
class RunningMetric:
    """How outputs are turned into the figure of `metric`.

    `measure` is the function of a metric that wants all outputs at once; `spread` the variance of
    the labels where they are numbers.
    """

    metric: Metric = ACCURACY
    measure: Measure | None = None
    spread: float = 0.0

    @classmethod
    def of(cls, task: Task, split: Split) -> RunningMetric:
        """Return the gauge of a task, for examples of `split`."""
        return cls(task.metric, task.measure, label_variance(split.labels))

    @property
    def is_additive(self) -> bool:
        """Whether a figure follows from sums over batches, and means something for one of them."""
        return self.metric.counts == "classes" or self.metric.counts in SUM_METRICS

    def part(self, outputs: Any, labels: Any) -> Any:
        """Return what `figure` needs of a batch: sums, or all of it where the figure is no sum.

        Parameters
        ----------
        outputs, labels
            Those of a batch, as tensors; for a metric that wants all at once, whatever they are.
        """
        if self.metric.counts == "classes":
            return _hits(outputs, labels), len(labels)
        if self.metric.counts in SUM_METRICS:
            return SUM_METRICS[self.metric.counts].rows(outputs.detach(), labels).sum(axis=0)
        return outputs, labels

    def figure(self, parts: Sequence[Any]) -> float:
        """Return the figure of all batches together, given the part of each in order."""
        if self.metric.counts == "classes":
            return float(sum(hits for hits, _ in parts) / sum(count for _, count in parts))
        if self.metric.counts in SUM_METRICS:
            return SUM_METRICS[self.metric.counts].figures(sum(parts), self.spread)[
                self.metric.name
            ]
        assert self.measure is not None  # such a metric comes with its function
        return self.measure([outputs for outputs, _ in parts], [labels for _, labels in parts])


@dataclass(frozen=True, eq=False)
class Sample:
    """Examples and labels, as they are stored, on which weights are looked at again and again."""

    examples: Any
    labels: Any
    running_metric: RunningMetric

    def figure(self, run: Callable[[Any], Any], batch: int, cancelled: Callable[[], bool]) -> float:
        """Return the figure of what `run` gives for the examples, `batch` of them at a time.

        Raises
        ------
        Cancelled
            As soon as `cancelled()` answers True between two batches.
        """
        parts = []
        for start in range(0, len(self.labels), batch):
            if cancelled():
                raise Cancelled("Training was stopped.")
            some = slice(start, start + batch)
            parts.append(
                self.running_metric.part(run(self.examples[some]), targets(self.labels[some]))
            )
        return self.running_metric.figure(parts)


def _hits(outputs: Tensor, labels: Tensor) -> float:
    right = (outputs.detach().argmax(dim=-1) == labels).float()
    return float(right.mean()) * len(labels)
