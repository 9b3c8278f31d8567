"""What training makes small: the loss against labels, a teacher, or both."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from workbench.recipe import Train
from workbench.zoo.losses import IGNORED, of_labels


def objective(settings: Train, outputs: Tensor, labels: Tensor, teacher: Tensor | None) -> Tensor:
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
    """
    hard = of_labels(outputs, labels, settings.label_smoothing)
    if teacher is None:
        return hard
    return settings.mix * _soft(settings, outputs, labels, teacher) + (1 - settings.mix) * hard


def _soft(settings: Train, outputs: Tensor, labels: Tensor, teacher: Tensor) -> Tensor:
    if labels.is_floating_point():
        return functional.mse_loss(outputs, teacher)
    if labels.ndim > 1:
        counts = labels.flatten() != IGNORED
        outputs, teacher = outputs.flatten(0, -2)[counts], teacher.flatten(0, -2)[counts]
    return MATCHINGS[settings.matching](outputs, teacher, settings.temperature)


def soft_targets(outputs: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return T² times the mean divergence of the softened teacher from the softened student.

    The factor keeps the gradient's size when T changes (Hinton et al., arXiv 1503.02531, §2). The
    divergence differs from their cross-entropy by the teacher's entropy, which has no gradient.
    """
    student = functional.log_softmax(outputs / temperature, dim=1)
    target = functional.log_softmax(teacher / temperature, dim=1)
    divergence = functional.kl_div(student, target, reduction="batchmean", log_target=True)
    return divergence * temperature**2


def logits(outputs: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return half the mean over examples of the squared distance of the logits, each centred.

    The limit of soft targets for high temperatures, times the number of classes (arXiv
    1503.02531, §2.1); `temperature` plays no part.
    """
    centred = outputs - outputs.mean(dim=1, keepdim=True)
    target = teacher - teacher.mean(dim=1, keepdim=True)
    return (centred - target).square().sum(dim=1).mean() / 2


MATCHINGS = {"soft targets": soft_targets, "logits": logits}
