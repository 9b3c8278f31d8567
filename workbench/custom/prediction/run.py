"""Run the network of a file on examples, as the evaluation of its accuracy does."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.artifact.artifact import Artifact
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.evaluation.batch_size import batch_size_for
from workbench.evaluation.reference import predict
from workbench.runtime.shell import shell
from workbench.threads import parallel_map

Numbers = NDArray[np.float64]


def predict_classes(
    model: Model, artifact: Artifact, examples: Any, cancel: CancelToken = NEVER
) -> tuple[NDArray[np.int64], Numbers]:
    """Return the reference prediction of each example, and the probability of each class.

    Returns
    -------
    classes : array [n]
        Class indices, −1 where the outputs are not finite.
    probabilities : array [n, classes]
        The softmax of the float32 outputs, in float64.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    """
    shaped, operands = model.with_spec(artifact.spec), artifact.operands()
    classes = predict(shaped, operands, examples, cancel=cancel)
    outputs = _outputs(shaped, operands, examples, cancel)
    probabilities = torch.from_numpy(outputs).double().softmax(dim=1).numpy()
    return classes, probabilities


def predict_numbers(
    model: Model, artifact: Artifact, examples: Any, cancel: CancelToken = NEVER
) -> NDArray[np.float32]:
    """Return the output for each example, [n], from the batches of the reference evaluation.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches.
    """
    outputs = _outputs(model.with_spec(artifact.spec), artifact.operands(), examples, cancel)
    return outputs.reshape(-1)


def _outputs(
    model: Model, operands: Any, examples: Any, cancel: CancelToken
) -> NDArray[np.float32]:
    """Return the outputs, float32 [n, outputs]."""

    def run(start: int) -> NDArray[np.float32]:
        cancel.check()
        outputs = shell(model)(operands, model.task.inputs(examples[start : start + size]))
        cancel.progress(min(1.0, (start + size) / len(examples)))
        return np.asarray(outputs.float().numpy())

    size = batch_size_for(model)
    pieces = [*parallel_map(run, range(0, len(examples), size))]
    return np.concatenate(pieces) if pieces else np.zeros((0, 1), np.float32)
