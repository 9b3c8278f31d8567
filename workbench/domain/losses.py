"""Built-in losses: cross-entropy for classes, squared error for numbers."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

IGNORE_INDEX = -100
"""The label of positions that are ignored: the default of PyTorch's cross-entropy."""


def label_loss(outputs: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the mean loss of a batch: cross-entropy for classes, squared error for numbers.

    Parameters
    ----------
    outputs
        Logits [b, classes] or [b, positions, classes], or predicted numbers.
    labels
        int64 [b] or [b, positions], where `IGNORE_INDEX` is ignored; or float numbers.
    smoothing
        Fraction of the target spread evenly over the classes.
    """
    if labels.is_floating_point():
        return functional.mse_loss(outputs.view_as(labels), labels)
    if labels.ndim > 1:
        outputs, labels = outputs.flatten(0, -2), labels.flatten()
    return functional.cross_entropy(outputs, labels, label_smoothing=smoothing)


def label_losses(outputs: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the loss of each example of a batch, [b], whose mean is `label_loss`.

    The parameters are the same, but class labels must be int64 [b].
    """
    if labels.is_floating_point():
        losses = functional.mse_loss(outputs.view_as(labels), labels, reduction="none")
        return losses.reshape(len(labels), -1).mean(dim=1)
    return functional.cross_entropy(outputs, labels, reduction="none", label_smoothing=smoothing)
