"""Which layers are evened out: proved on the model itself."""

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
STEP = 12
"""Channels are tried 2^12 times as large and as small: far enough to reach where a ReLU6 clips."""


def equalizable_pairs(
    model: Model, weights: Mapping[str, Tensor], groups: Sequence[Group]
) -> tuple[Group, ...]:
    """Return the groups of one layer that makes channels and one that takes them, scaled freely.

    A group is a candidate where scaling the channels of the one by powers of two, and those of the
    other back, leaves each output of `model` with `weights` as it was, bit by bit: powers of two
    are exact, so this shows that what lies between commutes with positive factors. Batch norm that
    is still there, residual links and other functions fail it. Of the candidates those are taken
    after whose equalisation `model` puts out the same, but for rounding.

    Raises
    ------
    WorkbenchError
        When a user module fails on the calibration examples.
    """
    candidates = tuple(Group(_present(group, weights)) for group in one_to_one_groups(groups))
    if not candidates:
        return ()
    commuting = _commuting(model, weights, candidates)
    reference = ReferenceOutputs(model, weights, {_path(group, "takes") for group in commuting})

    def holds(some: tuple[Group, ...]) -> bool:
        even, _ = equalize(weights, some, CalibrationStats())
        scaled = {_path(group, "makes") for group in some}
        return reference.holds(model, even, {_path(group, "takes") for group in some} - scaled)

    return largest_valid_subset(commuting, holds)


def one_to_one_groups(groups: Sequence[Group]) -> list[Group]:
    """Return the groups in which one layer makes the channels and one takes them."""
    return [
        group
        for group in groups
        if len(group.with_role("makes")) == 1 and len(group.with_role("takes")) == 1
    ]


def _commuting(
    model: Model, weights: Mapping[str, Tensor], candidates: tuple[Group, ...]
) -> tuple[Group, ...]:
    """Return the groups of `candidates` that can be scaled by powers of two without any change."""
    inputs = Batch.of(calibration_inputs(model, EXAMPLES))
    takers = {_path(group, "takes") for group in candidates}
    kind, plain = _plain(model, weights, inputs, takers)
    own = _as(kind, weights)
    found = []
    for group in candidates:
        factors = 2.0 ** (STEP * (1 - 2 * (torch.arange(group.channels) % 2))).to(kind)
        tried = dict(own)
        for member in group.members:
            by = 1 / factors if member.role == "takes" else factors
            tried[member.tensor] = member.times(own[member.tensor], by)
        taker = _path(group, "takes")
        seen = record_outputs(model, tried, inputs.to(kind), [taker])
        if outputs_match(seen, {"": plain[""], taker: plain[taker]}, torch.equal):
            found.append(group)
    return tuple(found)


def _plain(
    model: Model, weights: Mapping[str, Tensor], inputs: Batch, paths: Collection[str]
) -> tuple[torch.dtype, dict[str, list[Tensor]]]:
    """Return the outputs in float64, or in float32 where that is not possible, and which it was.

    A user module may make float32 tensors of its own. Powers of two are exact in either.
    """
    try:
        wide = _as(torch.float64, weights)
        return torch.float64, record_outputs(model, wide, inputs.to(torch.float64), paths)
    except Exception:  # noqa: BLE001 - a user module may fail in any way
        with user_errors(FAILS):
            return torch.float32, record_outputs(model, weights, inputs, paths)


def _path(group: Group, role: Role) -> str:
    """Return the path of the only layer that has a role in `group`."""
    (member,) = group.with_role(role)
    return member.tensor.rpartition(".")[0]


def _as(kind: torch.dtype, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n: w.to(kind) if w.is_floating_point() else w for n, w in weights.items()}


def _present(group: Group, weights: Mapping[str, Tensor]) -> tuple[Member, ...]:
    """Return the members that grow with the channels: both weights, and the biases that follow.

    Slopes of a PReLU stay as they are. A bias is among them that folding has left.
    """
    members = [
        member
        for member in group.members
        if member.tensor in weights and (member.role != "follows" or member.tensor.endswith("bias"))
    ]
    (maker,) = group.with_role("makes")
    bias = f"{maker.tensor.removesuffix('weight')}bias"
    if bias in weights and bias not in [member.tensor for member in members]:
        members.append(Member(bias, 0, "follows", maker.places))
    return tuple(members)
