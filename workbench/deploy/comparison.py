"""Compare outputs of a runtime with those of the compressed file, example by example."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.cancel import NEVER, CancelToken
from workbench.deploy.outputs import Outputs
from workbench.deploy.source import Network
from workbench.deploy.ties import decided_by_rounding
from workbench.domain import Split
from workbench.domain.inputs import targets
from workbench.domain.sum_metrics import SUM_METRICS
from workbench.evaluation.counts import PredictionCounts
from workbench.evaluation.reference import (
    BORDERLINE,
    Predictions,
    classify,
    lowest_of_tied,
    predict,
    predict_float64,
)
from workbench.evaluation.report import Score
from workbench.evaluation.scores import score_from_counts
from workbench.evaluation.sums import score_of_rows


def has_classes(network: Network) -> bool:
    """Whether each prediction is the class of the largest output."""
    return network.task.metric.counts in ("classes", "tokens")


class Differences(NamedTuple):
    """The predictions that differ.

    Attributes
    ----------
    borderline, different : array of int64
        The indices of those where rounding decides, and of all others.
    classes : array of int64
        For each borderline one, the class of the file and that of the runtime, [n, 2]; none where
        numbers are predicted.
    """

    borderline: NDArray[np.int64]
    different: NDArray[np.int64]
    classes: NDArray[np.int64]


def differences(
    network: Network,
    data: Split,
    outputs: Tensor,
    file: Outputs,
    cancel: CancelToken = NEVER,
    *,
    rounds_biases: bool = False,
    in_float32: bool = True,
) -> Differences:
    """Return the predictions that differ.

    For `rounds_biases` see `decided_by_rounding`. Where a runtime does not compute `in_float32`,
    only codes of the file explain a prediction.
    """

    def decided_among(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        if not (in_float32 or network.spec.inputs):
            return np.zeros(len(rows), bool)
        return decided_by_rounding(
            network, data.examples, rows, outputs, file, cancel, rounds_biases=rounds_biases
        )

    if not has_classes(network):
        differs = np.flatnonzero(~file.equal_rows(outputs).numpy())
        decided = decided_among(differs)
        return Differences(differs[decided], differs[~decided], np.empty((0, 2), np.int64))
    certain = file.certain().numpy()
    predicted, _certain = classify(outputs.flatten(0, -2), 0.0)
    expected = _expected(network, data, file)
    differs = predicted != expected
    different = np.flatnonzero(differs & certain)
    decided = decided_among(different)
    borderline = np.sort(np.append(np.flatnonzero(differs & ~certain), different[decided]))
    classes = np.stack([expected[borderline], predicted[borderline]], axis=1)
    return Differences(borderline, different[~decided], classes)


def _expected(network: Network, data: Split, file: Outputs) -> Predictions:
    """Return the predictions of the reference evaluation.

    They are those of the outputs that are known, except where float32 cannot decide.
    """
    rows = file.exact.flatten(0, -2)
    if rows.dtype == torch.float64:
        return lowest_of_tied(rows.numpy())
    if network.task.metric.counts != "classes":
        return classify(rows, 0.0)[0]
    model = network.model.with_spec(network.spec)
    if not model.architecture.traits.float64:
        return predict(model, network.operands, data.examples)
    predictions, decided = classify(rows, BORDERLINE)
    if not decided.all():
        undecided = np.flatnonzero(~decided)
        predictions[undecided] = predict_float64(model, network.operands, data.examples[undecided])
    return predictions


def score(network: Network, data: Split, outputs: Tensor) -> Score:
    """Return the score of outputs, of the runtime or of PyTorch."""
    task = network.task
    labels = targets(data.labels)
    if task.metric.counts == "classes":
        predicted, _certain = classify(outputs, 0.0)
        counts = PredictionCounts.of(data.labels, predicted, len(task.classes), len(data))
        return score_from_counts(counts)
    if task.metric.counts in SUM_METRICS:
        rows = SUM_METRICS[task.metric.counts].rows(outputs, labels)
        return score_of_rows(network.model, rows, data)
    assert task.measure is not None  # such a metric comes with its function
    value, name = task.measure([outputs], [labels]), task.metric.name
    return Score(name, value, value, value, len(data), len(data), {name: value})
