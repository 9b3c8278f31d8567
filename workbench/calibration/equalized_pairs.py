"""Find pairs of layers that can be equalized, verified numerically on the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from workbench.calibration.examples import FAILS, calibration_inputs
from workbench.calibration.verify import (
    ReferenceOutputs,
    largest_valid_subset,
    outputs_match,
    record_outputs,
)
from workbench.compression.channels import Group, Member, Role
from workbench.compression.equalize import equalize
from workbench.compression.stats import CalibrationStats
from workbench.domain import Model
from workbench.errors import user_errors
from workbench.runtime.batch import Batch

EXAMPLES = 8
EXPONENT = 12
"""Channels are scaled by 2^12 and 2^-12, far enough to reach the limits of a ReLU6."""


def equalizable_pairs(
    model: Model, weights: Mapping[str, Tensor], groups: Sequence[Group]
) -> tuple[Group, ...]:
    """Return the groups of one producer and one consumer layer that can be rescaled freely.

    A group qualifies in two tests. First, the channels of the producer are scaled by powers of two
    and those of the consumer by their inverses. Powers of two are exact, so bit-identical outputs
    of `model` prove that everything in between commutes with positive factors. Unfolded batch
    norms and residual connections fail this. Second, the outputs after equalization must be equal
    up to rounding.

    Raises
    ------
    InputError
        If a user's module fails on the calibration examples.
    """
    candidates = tuple(Group(_present(group, weights)) for group in one_to_one_groups(groups))
    if not candidates:
        return ()
    commuting = _commuting(model, weights, candidates)
    reference = ReferenceOutputs(model, weights, {_path(group, "takes") for group in commuting})

    def is_valid(pairs: tuple[Group, ...]) -> bool:
        equalized, _ = equalize(weights, pairs, CalibrationStats())
        scaled = {_path(group, "makes") for group in pairs}
        unscaled = {_path(group, "takes") for group in pairs} - scaled
        return reference.matches(model, equalized, unscaled)

    return largest_valid_subset(commuting, is_valid)


def one_to_one_groups(groups: Sequence[Group]) -> list[Group]:
    """Return the groups with one producer layer and one consumer layer."""
    return [
        group
        for group in groups
        if len(group.with_role("makes")) == 1 and len(group.with_role("takes")) == 1
    ]


def _commuting(
    model: Model, weights: Mapping[str, Tensor], candidates: tuple[Group, ...]
) -> tuple[Group, ...]:
    """Return the groups of `candidates` whose scaling by powers of two changes no output."""
    inputs = Batch.of(calibration_inputs(model, EXAMPLES))
    consumers = {_path(group, "takes") for group in candidates}
    dtype, expected = _unscaled_outputs(model, weights, inputs, consumers)
    tensors = _as(dtype, weights)
    commuting = []
    for group in candidates:
        factors = 2.0 ** (EXPONENT * (1 - 2 * (torch.arange(group.channels) % 2))).to(dtype)
        scaled = dict(tensors)
        for member in group.members:
            by = 1 / factors if member.role == "takes" else factors
            scaled[member.tensor] = member.times(tensors[member.tensor], by)
        consumer = _path(group, "takes")
        outputs = record_outputs(model, scaled, inputs.to(dtype), [consumer])
        if outputs_match(outputs, {p: expected[p] for p in ("", consumer)}, torch.equal):
            commuting.append(group)
    return tuple(commuting)


def _unscaled_outputs(
    model: Model, weights: Mapping[str, Tensor], inputs: Batch, paths: Collection[str]
) -> tuple[torch.dtype, dict[str, list[Tensor]]]:
    """Return the outputs and their dtype: float64, or float32 if the module fails in float64.

    A user's module may create float32 tensors. Powers of two are exact in both.
    """
    try:
        wide = _as(torch.float64, weights)
        return torch.float64, record_outputs(model, wide, inputs.to(torch.float64), paths)
    except Exception:  # noqa: BLE001 - a user's module may fail in any way
        with user_errors(FAILS):
            return torch.float32, record_outputs(model, weights, inputs, paths)


def _path(group: Group, role: Role) -> str:
    """Return the path of the only layer with `role` in `group`."""
    (member,) = group.with_role(role)
    return member.tensor.rpartition(".")[0]


def _as(dtype: torch.dtype, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n: w.to(dtype) if w.is_floating_point() else w for n, w in weights.items()}


def _present(group: Group, weights: Mapping[str, Tensor]) -> tuple[Member, ...]:
    """Return the members that scale with the channels: both weights, and biases.

    The slopes of a PReLU do not scale. Folding may have added a bias that the group does not list.
    """
    members = [
        member
        for member in group.members
        if member.tensor in weights and (member.role != "follows" or member.tensor.endswith("bias"))
    ]
    (producer,) = group.with_role("makes")
    bias = f"{producer.tensor.removesuffix('weight')}bias"
    if bias in weights and bias not in [member.tensor for member in members]:
        members.append(Member(bias, 0, "follows", producer.places))
    return tuple(members)
