"""What a strategy needs by its formula: bytes held by a rank, and bytes communicated per step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from workbench.parallel.plan import Plan

FLOAT = 4
"""Bytes of a float32 number."""
ADAM_MOMENTS = 2
Shapes = Mapping[str, Sequence[int]]


def held_bytes(plan: Plan, shapes: Shapes, rank: int) -> dict[str, int] | None:
    """Return the bytes of weights, gradients and optimizer state of a rank.

    Every rank of data parallel training stores everything; with ``zero1`` it stores the optimizer's
    state of its own parameters only. With ``zero2`` and ``zero3``, each of N ranks stores 1/N of
    all three: the first axis of each parameter is cut into equal parts, padded at the end, as FSDP2
    does; the optimizer's state has no padding.
    Adam has two moments per weight, SGD has no state.

    Returns None for strategies whose distribution depends on the network: ``tensor`` and
    ``pipeline``.
    """
    if plan.strategy == "data" or plan.ranks == 1:
        weights = sum(FLOAT * prod(shape) for shape in shapes.values())
        return _with_state(plan, weights, weights)
    if plan.strategy == "zero1":
        weights = sum(FLOAT * prod(shape) for shape in shapes.values())
        owner = owners(shapes, plan.ranks)
        assigned = [shape for name, shape in shapes.items() if owner[name] == rank]
        return _with_state(plan, weights, sum(FLOAT * prod(shape) for shape in assigned))
    if plan.strategy in ("zero2", "zero3"):
        parts = sum(FLOAT * part_of(shape, plan.ranks) for shape in shapes.values())
        updated = sum(FLOAT * held_of(shape, plan.ranks, rank) for shape in shapes.values())
        return _with_state(plan, parts, updated)
    return None


def owners(shapes: Shapes, ranks: int) -> dict[str, int]:
    """Return which rank updates each parameter with ``zero1``.

    The largest first, each goes to the rank that has the fewest numbers so far.
    """
    loads = [0] * ranks
    owner = {}
    for name in sorted(shapes, key=lambda name: -prod(shapes[name])):
        owner[name] = loads.index(min(loads))
        loads[owner[name]] += prod(shapes[name])
    return owner


def communicated_bytes(plan: Plan, shapes: Shapes) -> dict[str, float] | None:
    """Return the payload that a rank hands over per step, by kind, averaged over steps.

    Returns None for strategies whose messages are activations: ``tensor`` and ``pipeline``.
    """
    weights = sum(FLOAT * prod(shape) for shape in shapes.values())
    parts = sum(FLOAT * part_of(shape, plan.ranks) for shape in shapes.values())
    if plan.ranks == 1:
        return {}
    if plan.strategy in ("tensor", "pipeline"):
        return None
    if plan.strategy == "zero1":
        return {"all_reduce": weights, "broadcast": weights}
    if plan.strategy in ("zero2", "zero3"):
        gathers = 1 if plan.strategy == "zero2" else 2
        return {"all_gather": gathers * parts, "reduce_scatter": plan.ranks * parts}
    if plan.sync == "every_k":
        return {"all_reduce": weights / plan.every}
    return {"all_reduce": weights} if plan.sync == "every_step" else {}


def part_of(shape: Sequence[int], ranks: int) -> int:
    """Return the numbers in one of equal parts of the first axis, padding included."""
    rows, *rest = shape or (1,)
    return -(-rows // ranks) * prod(rest)


def held_of(shape: Sequence[int], ranks: int, rank: int) -> int:
    """Return the numbers in a rank's part of the first axis, without padding."""
    part = part_of(shape, ranks)
    return max(0, min(part, prod(shape) - rank * part))


def _with_state(plan: Plan, weights: int, updated: int) -> dict[str, int]:
    state = ADAM_MOMENTS * updated if plan.optimizer == "adam" else 0
    return {"weights": weights, "gradients": weights, "optimizer": state}
