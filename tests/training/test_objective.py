"""The loss, compared with values computed by hand and with finite differences."""

from __future__ import annotations

import pytest
import torch

import workbench as wb
from workbench.domain.losses import label_loss, label_losses
from workbench.plots.teacher import soften
from workbench.training.objective import logits, objective, soft_targets

STUDENT = [0.0, 2.772588722239781]  # 0 and ln 16: odds 1:16, 1:4, 1:2 at T = 1, 2, 4
TEACHER = [4.394449154672439, 0.0]  # ln 81 and 0: odds 81:1, 9:1, 3:1
LABEL = 1

# T, student's and teacher's probability of the first class,
# T² · KL(teacher ‖ student), and its gradient by the student's first logit, T · (q − p):
#  1 · (81/82 ln(81·17/82) + 1/82 ln(17/(82·16)))
#  4 · (9/10 ln(9/2) + 1/10 ln(1/8))
# 16 · (3/4 ln(9/4) + 1/4 ln(3/8))
TABLE = [
    (1, 1 / 17, 81 / 82, 2.733540351, -0.928981349),
    (2, 1 / 5, 9 / 10, 4.582902012, -1.4),
    (4, 1 / 3, 3 / 4, 5.807845583, -1.666666667),
]
# The student gives the label probability 16/17 and the other class 1/17.
HARD = 0.060624622  # −ln(16/17)
SMOOTHED = 0.337883494  # 0.9 · −ln(16/17) + 0.1 · ln 17, for smoothing 0.2


def row(values):
    return torch.tensor([values], dtype=torch.float64)


def loss(**settings):
    settings = wb.Train(**settings)
    return objective(settings, row(STUDENT), torch.tensor([LABEL]), row(TEACHER)).item()


@pytest.mark.parametrize(("temperature", "student", "teacher", "soft", "slope"), TABLE)
def test_soft_targets_match_values_computed_by_hand(temperature, student, teacher, soft, slope):
    outputs = row(STUDENT).requires_grad_()
    value = soft_targets(outputs, row(TEACHER), temperature)
    (gradient,) = torch.autograd.grad(value, outputs)
    assert soften(STUDENT, temperature)[0] == pytest.approx(student)
    assert soften(TEACHER, temperature)[0] == pytest.approx(teacher)
    assert value.item() == pytest.approx(soft, abs=1e-8)
    assert gradient[0].tolist() == pytest.approx([slope, -slope], abs=1e-8)


@pytest.mark.parametrize(("temperature", "_s", "_t", "soft", "_g"), TABLE)
def test_the_mix_weighs_teacher_and_labels(temperature, _s, _t, soft, _g):
    assert loss(temperature=temperature, mix=0) == pytest.approx(HARD, abs=1e-8)
    assert loss(temperature=temperature, mix=1) == pytest.approx(soft, abs=1e-8)
    both = (soft + HARD) / 2
    assert loss(temperature=temperature, mix=0.5) == pytest.approx(both, abs=1e-8)
    weighted = 0.9 * soft + 0.1 * HARD
    assert loss(temperature=temperature, mix=0.9) == pytest.approx(weighted, abs=1e-8)


def test_logits_are_matched_by_half_their_squared_distance():
    # Centered: (−ln 4, ln 4) and (ln 9, −ln 9); both differ by ln 36, so (ln 36)² in all.
    assert loss(mix=1, matching="logits") == pytest.approx(12.841607982, abs=1e-8)
    assert loss(mix=0.5, matching="logits") == pytest.approx(6.451116302, abs=1e-8)


@pytest.mark.parametrize("labels", [torch.tensor([0, 2, 1]), torch.randn(3, 4), torch.randn(3)])
def test_the_losses_of_examples_have_the_mean_of_the_batch(labels):
    outputs = torch.randn(3, 4) if labels.ndim > 1 else torch.randn(3, 1)
    outputs = outputs if labels.is_floating_point() else torch.randn(3, 5)
    losses = label_losses(outputs, labels, 0.1)
    assert losses.shape == (3,)
    torch.testing.assert_close(losses.mean(), label_loss(outputs, labels, 0.1))


@pytest.mark.parametrize("matching", ["soft_targets", "logits"])
@pytest.mark.parametrize(
    "labels", [torch.tensor([2, 0, 1]), torch.tensor([[1, 2], [0, 0], [2, -100]])]
)
def test_a_weight_of_two_counts_like_two_examples(labels, matching):
    outputs, teacher = torch.randn(2, *labels.shape, 3)
    settings, twice = wb.Train(mix=0.4, matching=matching), [0, 0, 2]
    weights = torch.tensor([2.0, 0.0, 1.0])
    weighted = objective(settings, outputs, labels, teacher, weights)
    expected = objective(settings, outputs[twice], labels[twice], teacher[twice])
    torch.testing.assert_close(weighted, expected)


def test_matching_logits_ignores_the_temperature():
    values = {loss(mix=0.7, matching="logits", temperature=t) for t in (0.5, 1, 20)}
    assert len(values) == 1


def test_a_constant_added_to_all_logits_changes_nothing():
    for matched in (soft_targets, logits):
        plain = matched(row(STUDENT), row(TEACHER), 3.0)
        shifted = matched(row(STUDENT) + 7, row(TEACHER) - 5, 3.0)
        assert shifted.item() == pytest.approx(plain.item())


def test_logits_are_the_limit_of_high_temperatures():
    student, teacher = torch.randn(2, 5, 10, dtype=torch.float64)
    limit = 10 * soft_targets(student, teacher, 1e4)
    assert limit.item() == pytest.approx(logits(student, teacher, 1.0).item(), rel=1e-3)


def test_label_smoothing_affects_labels_but_not_the_teacher():
    assert loss(mix=0, label_smoothing=0.2) == pytest.approx(SMOOTHED, abs=1e-8)
    assert loss(mix=1, temperature=2, label_smoothing=0.2) == pytest.approx(TABLE[1][3], abs=1e-8)
    both = 0.25 * TABLE[1][3] + 0.75 * SMOOTHED
    assert loss(mix=0.25, temperature=2, label_smoothing=0.2) == pytest.approx(both, abs=1e-8)


def test_without_a_teacher_the_mix_is_ignored():
    settings = wb.Train(mix=0.9, label_smoothing=0.2)
    alone = objective(settings, row(STUDENT), torch.tensor([LABEL]), None)
    assert alone.item() == pytest.approx(SMOOTHED, abs=1e-8)


@pytest.mark.parametrize("matching", ["soft_targets", "logits"])
def test_the_loss_is_a_mean_over_examples(matching):
    settings = wb.Train(mix=1, temperature=2, matching=matching)
    outputs, teacher = row(STUDENT), row(TEACHER)
    single = objective(settings, outputs, torch.tensor([LABEL]), teacher)
    perfect = torch.cat([outputs, teacher])  # the second student equals its teacher
    two = objective(settings, perfect, torch.tensor([LABEL, 0]), torch.cat([teacher, teacher]))
    assert two.item() == pytest.approx(single.item() / 2)


@pytest.mark.parametrize("matching", ["soft_targets", "logits"])
@pytest.mark.parametrize("temperature", [0.5, 1, 2, 4, 20])
@pytest.mark.parametrize("mix", [0, 0.5, 1])
def test_gradients_are_those_of_finite_differences(matching, temperature, mix):
    settings = wb.Train(mix=mix, temperature=temperature, matching=matching, label_smoothing=0.1)
    generator = torch.Generator().manual_seed(0)
    outputs, teacher = 3 * torch.randn(2, 4, 10, dtype=torch.float64, generator=generator)
    labels = torch.tensor([0, 9, 3, 3])
    inputs = outputs.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: objective(settings, z, labels, teacher), inputs)


def test_the_size_of_the_gradient_is_nearly_independent_of_the_temperature():
    generator = torch.Generator().manual_seed(0)
    outputs, teacher = torch.randn(2, 64, 10, dtype=torch.float64, generator=generator)
    sizes = []
    for temperature in (4, 8, 16, 32):
        inside = outputs.clone().requires_grad_()
        soft_targets(inside, teacher, temperature).backward()
        sizes.append(inside.grad.norm().item())
    assert max(sizes) < 1.2 * min(sizes)


def test_a_certain_teacher_at_a_low_temperature_gives_a_finite_loss():
    settings = wb.Train(temperature=0.5, mix=0.5)
    outputs = torch.tensor([[0.0, 300.0]]).requires_grad_()
    value = objective(settings, outputs, torch.tensor([0]), torch.tensor([[300.0, 0.0]]))
    value.backward()
    assert value.isfinite()
    assert outputs.grad.isfinite().all()
