"""The loss of outputs against labels, by what the labels are."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

IGNORE_INDEX = -100
"""The label of a place that does not count, PyTorch's own."""


def label_loss(outputs: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the mean loss of a batch: cross-entropy for classes, squared error for numbers.

    Parameters
    ----------
    outputs
        Logits [b, classes] or [b, places, classes], or the numbers that are predicted.
    labels
        int64 [b] or [b, places], of which -100 does not count; or float, the numbers.
    smoothing
        The share of the target spread evenly over the classes.
    """
    if labels.is_floating_point():
        return functional.mse_loss(outputs.view_as(labels), labels)
    if labels.ndim > 1:
        outputs, labels = outputs.flatten(0, -2), labels.flatten()
    return functional.cross_entropy(outputs, labels, label_smoothing=smoothing)


def label_losses(outputs: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the loss of each example of a batch, [b], whose mean `label_loss` returns.

    `outputs` and `labels` are as there, but that classes are those of examples, int64 [b].
    """
    if labels.is_floating_point():
        losses = functional.mse_loss(outputs.view_as(labels), labels, reduction="none")
        return losses.reshape(len(labels), -1).mean(dim=1)
    return functional.cross_entropy(outputs, labels, reduction="none", label_smoothing=smoothing)
