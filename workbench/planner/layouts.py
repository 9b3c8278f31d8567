"""All ways to divide a training step among chips, ranked by tokens per second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import gcd

from workbench.errors import InputError
from workbench.planner.architecture import Architecture
from workbench.planner.chips import Chip
from workbench.planner.fits import fits
from workbench.planner.jobs import TrainingJob
from workbench.planner.links import CHIPS_PER_NODE
from workbench.planner.memory import Memory
from workbench.planner.times import step_seconds
from workbench.planner.training_memory import training_memory

MOST_STAGES, MOST_CHIPS = 64, 65_536


@dataclass(frozen=True)
class Layout:
    """A way to divide a step: its job, memory per chip, and tokens per second of all chips."""

    job: TrainingJob
    memory: Memory
    fits: bool | None
    tokens_per_s: float


def divisors(number: int) -> list[int]:
    """Return all divisors in order."""
    return [value for value in range(1, number + 1) if number % value == 0]


def candidates(
    architecture: Architecture, job: TrainingJob, chips: int, *, recompute: bool = True
) -> Iterator[TrainingJob]:
    """Yield every division of `chips`, sharding and checkpointing of `job`.

    Matrices are divided within a node of eight chips only. The tokens of a step stay about the
    same: with fewer chips that divide the batch, each processes more microbatches. A job with
    checkpointing keeps it; one without gets it too if `recompute`.
    """
    is_open = recompute and job.checkpointing == "none"
    checkpointings = ("none", "full") if is_open else (job.checkpointing,)
    heads = min((b.mixer.heads for b in architecture.attention_blocks), default=CHIPS_PER_NODE)
    sequences = job.accumulation * chips
    for tensor in divisors(chips):
        if tensor > CHIPS_PER_NODE or heads % tensor:
            continue
        for pipeline in divisors(chips // tensor):
            if pipeline > min(architecture.layers, MOST_STAGES):
                continue
            data = chips // (tensor * pipeline)
            accumulation = max(1, sequences // data)
            # In a pipeline, gathering weights for each microbatch costs too much.
            shards = ((0, 1) if pipeline > 1 else (0, 1, 2, 3)) if data > 1 else (0,)
            for shard, expert, checkpointing in product(
                shards, expert_divisions(architecture, data, tensor), checkpointings
            ):
                yield replace(
                    job,
                    data=data,
                    shard=shard,
                    tensor=tensor,
                    pipeline=pipeline,
                    expert=expert,
                    checkpointing=checkpointing,
                    accumulation=accumulation,
                )


def expert_divisions(architecture: Architecture, data: int, tensor: int) -> list[int]:
    """Return among how many chips experts are divided: one, those of a node, or as many as can."""
    parts = [block.feed_forward.experts for block in architecture if block.expert_parameters]
    if not parts:
        return [1]
    node = CHIPS_PER_NODE // tensor
    return sorted({1, gcd(data, node, *parts), gcd(data, *parts)})


def layouts(
    architecture: Architecture,
    chip: Chip,
    job: TrainingJob,
    chips: int,
    *,
    recompute: bool = True,
) -> list[Layout]:
    """Return all layouts for `chips`: those that fit first, the fastest of them first.

    Parameters
    ----------
    architecture, chip
        The model and the kind of chip.
    job
        Microbatch, sequence, precision and attention; its own layout is ignored.
    chips
        How many there are, at most 65,536.
    recompute
        Whether layouts may recompute layers if the job does not.

    Raises
    ------
    InputError
        If there are too many chips.
    """
    if chips > MOST_CHIPS:
        raise InputError(
            f"Layouts are compared for at most {MOST_CHIPS:,} chips, not {chips:,}.",
            code="plan.layout",
        )
    order = {True: 0, None: 1, False: 2}
    result = []
    for candidate in candidates(architecture, job, chips, recompute=recompute):
        memory = training_memory(architecture, candidate, chip.context, chip.workspace)
        seconds = step_seconds(architecture, candidate, chip)
        result.append(
            Layout(
                candidate,
                memory,
                fits(memory, chip, chips),
                candidate.tokens_per_step / seconds.total,
            )
        )
    return sorted(result, key=lambda layout: (order[layout.fits], -layout.tokens_per_s))


def pareto(ranked: list[Layout]) -> list[Layout]:
    """Return the layouts than which no other is both faster and smaller."""
    best: list[Layout] = []
    for layout in sorted(ranked, key=lambda item: (-item.tokens_per_s, item.memory.total)):
        if not best or layout.memory.total < best[-1].memory.total:
            best.append(layout)
    return best


def best_layout(
    architecture: Architecture,
    chip: Chip,
    job: TrainingJob,
    chips: int,
    *,
    recompute: bool = True,
) -> Layout:
    """Return the fastest layout that fits, or the smallest if none does; as `layouts`.

    Raises
    ------
    InputError
        If the model cannot be divided among so many chips.
    """
    ranked = layouts(architecture, chip, job, chips, recompute=recompute)
    if not ranked:
        raise InputError(
            f"This model cannot be divided among {chips:,} chips; choose another number.",
            code="plan.layout",
        )
    if ranked[0].fits is False:
        return min(ranked, key=lambda layout: layout.memory.total)
    return ranked[0]
