"""What would make a plan fit, the cheapest change first, and the largest sizes that fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from math import ceil

from workbench.errors import InputError
from workbench.i18n import _
from workbench.planner.architecture import Architecture
from workbench.planner.chips import Chip
from workbench.planner.fits import fits, largest
from workbench.planner.inference_memory import inference_memory
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.plan import infer_plan, train_plan
from workbench.planner.results import InferencePlan, TrainingPlan
from workbench.planner.training_memory import training_memory

MOST_SEQUENCES, MOST_TOKENS = 65_536, 16_777_216
MOST_CHIPS = 4096


def job_fits(
    architecture: Architecture, chip: Chip, job: TrainingJob | InferenceJob
) -> bool | None:
    """Return whether a job fits, or None if that is too close to call."""
    if isinstance(job, InferenceJob):
        memory = inference_memory(architecture, job, chip.context, chip.workspace)
        return fits(memory, chip, job.tensor)
    memory = training_memory(architecture, job, chip.context, chip.workspace)
    return fits(memory, chip, job.chips)


def largest_batch(plan: TrainingPlan | InferencePlan) -> int:
    """Return the largest batch of a chip that fits, or 0."""
    name = "batch" if isinstance(plan, InferencePlan) else "microbatch"
    return largest(partial(_with, plan, name), MOST_SEQUENCES)


def largest_context(plan: TrainingPlan | InferencePlan) -> int:
    """Return the longest context or sequence that fits, or 0."""
    name = "context" if isinstance(plan, InferencePlan) else "sequence"
    return largest(partial(_with, plan, name), MOST_TOKENS)


def _with(plan: TrainingPlan | InferencePlan, name: str, value: int) -> bool | None:
    longest = plan.architecture.longest
    if name in {"context", "sequence"} and longest is not None and value > longest:
        return False
    return job_fits(plan.architecture, plan.chip, replace(plan.job, **{name: value}))  # type: ignore[arg-type]


def changes(plan: TrainingPlan | InferencePlan) -> list[str]:
    """Return sentences: what makes the plan fit, or the largest sizes if it does."""
    if plan.fits:
        return _largest_sizes(plan)
    suggestions = _training(plan) if isinstance(plan, TrainingPlan) else _inference(plan)
    possible = (text for job, text in suggestions if _is_possible(plan, job))
    first = list(islice(possible, 3))
    return first or [_("No single change makes it fit on this chip; choose a larger chip.")]


def _largest_sizes(plan: TrainingPlan | InferencePlan) -> list[str]:
    """Return the sizes that fit, and how many tokens the model is made for if those are fewer."""
    context, named = largest_context(plan), plan.architecture.named
    result = [
        _("The largest batch that fits is {batch}, the longest context {context} tokens.").format(
            batch=f"{largest_batch(plan):,}", context=f"{context:,}"
        )
    ]
    if named is not None and named < context:
        sentence = _("The configuration of the model allows at most {count} tokens.")
        result.append(sentence.format(count=f"{named:,}"))
    return result


def _is_possible(plan: TrainingPlan | InferencePlan, job: TrainingJob | InferenceJob) -> bool:
    """Return whether the chip can carry out a job, and it fits."""
    try:
        if isinstance(job, TrainingJob):
            return train_plan(plan.architecture, plan.chip, job).fits is True
        return infer_plan(plan.architecture, plan.chip, job).fits is True
    except InputError:  # heads that cannot be divided, or numbers that the chip does not compute
        return False


def _training(plan: TrainingPlan) -> Iterator[tuple[TrainingJob, str]]:
    """Yield changes of a training step, the cheapest in time first."""
    job = plan.job
    if job.attention == "eager":
        yield replace(job, attention="fused"), _("Fused attention: it stores no scores.")
    smaller = partial(_accumulated, job)
    batch = largest(
        lambda size: job_fits(plan.architecture, plan.chip, smaller(size)), job.microbatch - 1
    )
    if batch:
        several = smaller(batch)
        yield (
            several,
            _("Microbatches of {batch}, and {count} of them per step.").format(
                batch=batch, count=several.accumulation
            ),
        )
    if job.checkpointing == "none":
        yield (
            replace(job, checkpointing="full"),
            _("Checkpointing: layers are computed twice, which takes about a quarter longer."),
        )
        smallest = replace(job, checkpointing="full", microbatch=1)
        yield smallest, _("Checkpointing with microbatches of 1.")
    if job.precision in {"amp", "fp32", "tf32"}:
        yield (
            replace(job, precision="bf16"),
            _("Weights and states in bf16; check that training stays stable."),
        )
    if job.shards > 1:
        for shard in range(job.shard + 1, 4):
            yield replace(job, shard=shard), _("Sharding level {shard}.").format(shard=shard)
    chips = 2 * job.chips
    while chips <= MOST_CHIPS:
        yield (
            replace(job, data=chips // (job.tensor * job.pipeline), shard=3, checkpointing="full"),
            _("{chips} chips with sharded weights and checkpointing.").format(chips=chips),
        )
        chips *= 2


def _accumulated(job: TrainingJob, microbatch: int) -> TrainingJob:
    """Return a step of as many sequences in smaller microbatches, whose gradients are summed."""
    count = ceil(job.microbatch * job.accumulation / microbatch)
    return replace(job, microbatch=microbatch, accumulation=count)


def _inference(plan: InferencePlan) -> Iterator[tuple[InferenceJob, str]]:
    """Yield changes of text generation, those that keep all digits first."""
    job = plan.job
    batch = largest_batch(plan)
    if batch:
        yield replace(job, batch=batch), _("A batch of {batch}.").format(batch=batch)
    context = largest_context(plan)
    if context:
        yield replace(job, context=context), _("A context of {n}.").format(n=f"{context:,}")
    if job.cache_bytes > 1:
        yield replace(job, cache_bytes=1), _("A cache in 8 bits.")
    for precision, bits in (("int8", 8), ("int4", 4)):
        if job.file_bytes is None and job.bytes.weight * 8 > bits:
            smaller = replace(job, precision=precision, cache_bytes=1)
            yield smaller, _("Weights in {bits} bits and a cache in 8.").format(bits=bits)
    chips = 2 * job.tensor
    while chips <= 8:
        yield replace(job, tensor=chips), _("{chips} chips.").format(chips=chips)
        chips *= 2
