"""Seconds that chips need to exchange weights, gradients and activations at the links' rates."""

from __future__ import annotations

from workbench.planner.architecture import Architecture
from workbench.planner.chips import Chip
from workbench.planner.jobs import TrainingJob

CHIPS_PER_NODE = 8
NODE_RATE = {"h100-sxm": 400e9, "h200": 400e9, "b200": 400e9}
"""Bytes per second between nodes of eight chips; 1,600 Gbit/s where nothing is said."""
ORDINARY_NODE_RATE = 200e9
REDUCED = 4
"""Bytes of a gradient when it is summed over chips: float32."""


def link_work(
    architecture: Architecture, job: TrainingJob, chip: Chip, reduced: float = REDUCED
) -> tuple[dict[str, float], dict[str, float]]:
    """Return seconds by link: of each microbatch, and once per step.

    `inner` and `outer` are exchanges within a node and between nodes that overlap with other work.
    `exposed` are sums of divided matrices and tokens on their way to experts and back: the next
    product waits for them. Rings move (n - 1) / n of all bytes. Sharded weights are gathered before
    the forward and the backward pass; without sharding gradients are summed once per step.
    """
    work = {"inner": 0.0, "outer": 0.0, "exposed": 0.0}
    once = dict(work)
    elements = architecture.parameters - architecture.expert_parameters * (1 - 1 / job.expert)
    elements /= job.tensor * job.pipeline
    size = job.bytes.activation
    if job.shards > 1:
        gathers = 2 if job.shard >= 3 and job.pipeline == 1 else 1
        moved = elements * (gathers * size + reduced) if job.shard >= 2 else elements * 2 * size
        within = job.shards * job.tensor <= CHIPS_PER_NODE
        repeated = work if job.shard >= 2 and job.pipeline == 1 else once
        seconds = _ring(moved, job.shards, within, chip, job.tensor)
        repeated["inner" if within else "outer"] += seconds
    if job.tensor > 1:
        # Two sums forward and two backward per layer; as many again to recompute.
        passes = 4 + (2 if job.is_recomputed else 0)
        layers = architecture.layers / job.pipeline
        moved = 2 * passes * layers * job.tokens * architecture.hidden * size
        within = job.tensor <= CHIPS_PER_NODE
        work["inner" if job.overlapped else "exposed"] += _ring(moved, job.tensor, within, chip)
    if job.expert > 1:
        chosen = sum(b.count * b.feed_forward.active for b in architecture if b.expert_parameters)
        # To the experts and back, forward and backward, and forward again to recompute.
        passes = 4 + (2 if job.is_recomputed else 0)
        moved = passes * chosen / job.pipeline * job.tokens * architecture.hidden * size
        within = job.expert * job.tensor <= CHIPS_PER_NODE
        seconds = _ring(moved / job.tensor, job.expert, within, chip, CHIPS_PER_NODE)
        work["exposed"] += seconds
    if job.pipeline > 1:
        moved = 2 * job.tokens * architecture.hidden * size / job.tensor * job.interleaving
        within = job.chips <= CHIPS_PER_NODE
        work["inner" if within else "outer"] += moved / _rate(within, chip, CHIPS_PER_NODE)
    return work, once


def _ring(moved: float, chips: int, within: bool, chip: Chip, apart: int = 1) -> float:
    return moved * (chips - 1) / chips / _rate(within, chip, apart)


def _rate(within: bool, chip: Chip, apart: int = 1) -> float:
    """Return bytes per second of a ring.

    Of rings between nodes, `apart` share the links of a node, one for each chip that holds another
    part of the matrices.
    """
    if within or chip.kind == "tpu":  # all chips of a TPU slice have direct links
        return chip.link / 2
    return NODE_RATE.get(chip.id, ORDINARY_NODE_RATE) / min(apart, CHIPS_PER_NODE)
