"""Which layers of a model can be equalised: proved on the model itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from workbench.adjustment.examples import calibration_inputs
from workbench.compression.channels import Group, Member
from workbench.zoo import Model
from workbench.zoo.batch import Batch
from workbench.zoo.shell import shell

EXAMPLES = 8


def pairs(
    model: Model, weights: Mapping[str, Tensor], groups: Sequence[Group]
) -> tuple[Group, ...]:
    """Return the groups of one layer that makes channels and one that takes them, scaled freely.

    A group is taken where doubling every other channel of the one and halving it in the other
    leaves each output of `model` with `weights` as it was, bit by bit: powers of two are exact, so
    this shows that what lies between commutes with positive factors. Batch norm that is still
    there, residual links and other functions fail it.
    """
    run = shell(model)
    wide = {n: w.double() if w.is_floating_point() else w for n, w in weights.items()}
    inputs = Batch.of(calibration_inputs(model, EXAMPLES)).to(torch.float64)
    plain = run(wide, inputs)
    if not isinstance(plain, Tensor):
        return ()
    found = []
    for group in groups:
        if len(group.having("makes")) != 1 or len(group.having("takes")) != 1:
            continue
        members = _present(group, wide)
        factors = 2.0 ** (torch.arange(group.channels) % 2).double()
        tried = dict(wide)
        for member in members:
            by = 1 / factors if member.role == "takes" else factors
            tried[member.tensor] = member.times(wide[member.tensor], by)
        if torch.equal(run(tried, inputs), plain):
            found.append(Group(members))
    return tuple(found)


def _present(group: Group, weights: Mapping[str, Tensor]) -> tuple[Member, ...]:
    """Return the members that are left once batch norm is folded, the biases it left included."""
    members = [member for member in group.members if member.tensor in weights]
    (maker,) = group.having("makes")
    bias = f"{maker.tensor.removesuffix('weight')}bias"
    if bias in weights and bias not in [member.tensor for member in members]:
        members.append(Member(bias, 0, "follows", maker.places))
    return tuple(members)
