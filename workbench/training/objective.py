"""What training makes small: the loss against labels, a teacher, or both."""

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
) -> Tensor:
    """Return the mean loss of a batch, a scalar.

    Parameters
    ----------
    settings
        Its `mix`, `temperature`, `matching` and `label_smoothing`.
    outputs
        The student's logits, float [b, classes], or [b, places, classes] where every place is
        predicted; where numbers are predicted, those.
    labels
        int64 [b] or [b, places], of which -100 does not count; or float, the numbers.
    teacher
        The teacher's outputs for the same examples, or None.
    weights
        How much each example counts, float [b] ≥ 0, or None where all count alike: the mean is then
        the sum of weight · loss over the sum of weights, over all that is predicted.
    """
    if weights is not None:
        return _weighted(settings, outputs, labels, teacher, weights)
    hard = label_loss(outputs, labels, settings.label_smoothing)
    if teacher is None:
        return hard
    return settings.mix * _soft(settings, outputs, labels, teacher) + (1 - settings.mix) * hard


def _weighted(
    settings: Train, outputs: Tensor, labels: Tensor, teacher: Tensor | None, weights: Tensor
) -> Tensor:
    if labels.ndim > 1 and not labels.is_floating_point():  # every place is predicted
        counts = labels.flatten() != IGNORE_INDEX
        weights = weights.repeat_interleave(labels.shape[1])[counts]
        outputs, labels = outputs.flatten(0, -2)[counts], labels.flatten()[counts]
        teacher = teacher if teacher is None else teacher.flatten(0, -2)[counts]
    losses = label_losses(outputs, labels, settings.label_smoothing)
    if teacher is not None:
        soft = _each_soft(settings, outputs, labels, teacher)
        losses = settings.mix * soft + (1 - settings.mix) * losses
    return (losses * weights).sum() / weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)


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
        counts = labels.flatten() != IGNORE_INDEX
        outputs, teacher = outputs.flatten(0, -2)[counts], teacher.flatten(0, -2)[counts]
    return MATCHINGS[settings.matching](outputs, teacher, settings.temperature)


def soft_targets(outputs: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return T² times the mean divergence of the softened teacher from the softened student.

    The factor keeps the gradient's size when T changes (Hinton et al., arXiv 1503.02531, §2). The
    divergence differs from their cross-entropy by the teacher's entropy, which has no gradient.
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
    """Return half the mean over examples of the squared distance of the logits, each centred.

    The limit of soft targets for high temperatures, times the number of classes (arXiv
    1503.02531, §2.1); `temperature` plays no part.
    """
    return _distances(outputs, teacher).mean() / 2


def _distances(outputs: Tensor, teacher: Tensor) -> Tensor:
    """Return for each row the squared distance of its logits, centred, from the teacher's."""
    centred = outputs - outputs.mean(dim=1, keepdim=True)
    target = teacher - teacher.mean(dim=1, keepdim=True)
    return (centred - target).square().sum(dim=1)


MATCHINGS = {"soft targets": soft_targets, "logits": logits}
