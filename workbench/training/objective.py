"""The training loss: against labels, a teacher, or both."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from workbench.domain.losses import IGNORE_INDEX, label_loss, label_losses
from workbench.recipe import Train


def objective(
    settings: Train,
    outputs: Tensor,
    labels: Tensor,
    teacher: Tensor | None,
    weights: Tensor | None = None,
    labeled: Tensor | None = None,
) -> Tensor:
    """Return the mean loss of a batch, a scalar.

    Parameters
    ----------
    settings
        Its `mix`, `temperature`, `matching` and `label_smoothing`.
    outputs
        The student's logits, float [b, classes] or, for sequences, [b, places, classes]. For
        regression, the predicted values.
    labels
        int64 [b] or [b, places], where -100 is ignored; float for regression.
    teacher
        The teacher's outputs for the same examples, or None.
    weights
        Example weights, float [b] ≥ 0, or None for equal weights. The mean is the sum of
        weight · loss over all predictions, divided by the sum of weights.
    labeled
        bool [b], or None for all examples. The loss of an example that is not labeled is its
        teacher's alone, whatever the `mix`; its label is not used.
    """
    if labeled is not None:
        assert teacher is not None  # the other examples have no loss
        return _partly_labeled(settings, outputs, labels, teacher, weights, labeled)
    if weights is not None:
        return _weighted(settings, outputs, labels, teacher, weights)
    hard = label_loss(outputs, labels, settings.label_smoothing)
    if teacher is None:
        return hard
    return settings.mix * _soft(settings, outputs, labels, teacher) + (1 - settings.mix) * hard


def _weighted(
    settings: Train, outputs: Tensor, labels: Tensor, teacher: Tensor | None, weights: Tensor
) -> Tensor:
    if labels.ndim > 1 and not labels.is_floating_point():  # sequences
        valid = labels.flatten() != IGNORE_INDEX
        weights = weights.repeat_interleave(labels.shape[1])[valid]
        outputs, labels = outputs.flatten(0, -2)[valid], labels.flatten()[valid]
        teacher = teacher if teacher is None else teacher.flatten(0, -2)[valid]
    losses = label_losses(outputs, labels, settings.label_smoothing)
    if teacher is not None:
        soft = _each_soft(settings, outputs, labels, teacher)
        losses = settings.mix * soft + (1 - settings.mix) * losses
    return _weighted_mean(losses, weights)


def _weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    return (losses * weights).sum() / weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)


def _partly_labeled(
    settings: Train,
    outputs: Tensor,
    labels: Tensor,
    teacher: Tensor,
    weights: Tensor | None,
    labeled: Tensor,
) -> Tensor:
    losses = _each_soft(settings, outputs, labels, teacher)
    hard = label_losses(outputs[labeled], labels[labeled], settings.label_smoothing)
    both = settings.mix * losses[labeled] + (1 - settings.mix) * hard
    losses = losses.masked_scatter(labeled, both)
    return losses.mean() if weights is None else _weighted_mean(losses, weights)


def _each_soft(settings: Train, outputs: Tensor, labels: Tensor, teacher: Tensor) -> Tensor:
    if labels.is_floating_point():
        return label_losses(outputs, teacher)
    if settings.matching == "logits":
        return _distances(outputs, teacher) / 2
    softened = _softened(outputs, teacher, settings.temperature)
    divergences = functional.kl_div(*softened, reduction="none", log_target=True)
    return divergences.sum(dim=1) * settings.temperature**2


def _soft(settings: Train, outputs: Tensor, labels: Tensor, teacher: Tensor) -> Tensor:
    if labels.is_floating_point():
        return functional.mse_loss(outputs, teacher)
    if labels.ndim > 1:
        valid = labels.flatten() != IGNORE_INDEX
        outputs, teacher = outputs.flatten(0, -2)[valid], teacher.flatten(0, -2)[valid]
    return MATCHINGS[settings.matching](outputs, teacher, settings.temperature)


def soft_targets(outputs: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return T² times the mean KL divergence between the softened teacher and student.

    The factor T² keeps the size of the gradient independent of T (Hinton et al., arXiv 1503.02531,
    §2). The KL divergence and the cross-entropy of the paper have the same gradient: they differ
    by the teacher's entropy.
    """
    softened = _softened(outputs, teacher, temperature)
    divergence = functional.kl_div(*softened, reduction="batchmean", log_target=True)
    return divergence * temperature**2


def _softened(outputs: Tensor, teacher: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    return (
        functional.log_softmax(outputs / temperature, dim=1),
        functional.log_softmax(teacher / temperature, dim=1),
    )


def logits(outputs: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return half the mean squared distance between the centered logits.

    This is the limit of soft targets for high temperatures, times the number of classes (arXiv
    1503.02531, §2.1). `temperature` is not used.
    """
    return _distances(outputs, teacher).mean() / 2


def _distances(outputs: Tensor, teacher: Tensor) -> Tensor:
    """Return the squared distance between the centered logits of each row."""
    centered = outputs - outputs.mean(dim=1, keepdim=True)
    target = teacher - teacher.mean(dim=1, keepdim=True)
    return (centered - target).square().sum(dim=1)


MATCHINGS = {"soft_targets": soft_targets, "logits": logits}
