"""Peak memory of a training step on one of its chips.

The peak is the largest of four moments: the loss in the forward pass, the loss in the backward
pass, the backward pass of the last layer, and the end of the backward pass, when all gradients
exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from workbench.planner.activations import layer_bytes, selected_bytes, temporary_scores
from workbench.planner.adapters import frozen_bytes, trainable_parameters
from workbench.planner.architecture import Architecture
from workbench.planner.jobs import TrainingJob
from workbench.planner.memory import Memory

LOSS_BACKWARD, FUSED_LOSS_BACKWARD = 12, 4
"""Bytes per logit: log-probabilities and two gradients in float32; with a compiled loss, logits
and their gradient in bf16."""
OWN_LOGITS = 2
"""Bytes per logit that a training loop over several chips keeps until the step ends."""
GATHERED_INPUTS = 5
"""Complete inputs, results and gradients of layers that exist at once with divided matrices."""
GATHERED_LAYERS = 2
"""Layers whose complete weights exist at once if weights are sharded: the current and the next."""


@dataclass(frozen=True)
class Stage:
    """What a chip holds: elements of weights, of the largest layer and of the head.

    `complete` are the elements of its layers with all experts, `parameters` those with its own.
    `microbatches` are those whose activations it keeps at once.
    """

    complete: float
    parameters: float
    weights: float
    largest: float
    embedding: float
    head: float
    layers: float
    microbatches: float


def stages(architecture: Architecture, job: TrainingJob) -> Iterator[Stage]:
    """Yield the chips of which one needs most: those with the first and the second stage.

    The first stage has the embedding; if the layers cannot be divided evenly, later ones have one
    more. Each stage keeps the activations of one microbatch less than the one before, and more of
    them if it is interleaved (Korthikanti et al.).
    """
    if job.pipeline == 1:
        ends = architecture.parameters - architecture.layer_parameters
        yield _stage(architecture, job, architecture.layers, ends, 1)
        return
    ends = architecture.embedding + architecture.positions
    first, parts = architecture.layers // job.pipeline, job.interleaving
    in_flight = job.pipeline + ((job.pipeline - 1) / parts if parts > 1 else 0)
    yield _stage(architecture, job, first, ends, min(in_flight, job.accumulation))
    if architecture.layers % job.pipeline:
        yield _stage(architecture, job, first + 1, 0, min(in_flight - 1, job.accumulation))


def _stage(
    architecture: Architecture, job: TrainingJob, layers: int, ends: int, microbatches: float
) -> Stage:
    share, elsewhere = layers / architecture.layers, 1 - 1 / job.expert
    complete = architecture.layer_parameters * share + ends
    others = architecture.expert_parameters * share * elsewhere
    largest = max(b.parameters - b.expert_parameters * elsewhere for b in architecture)
    return Stage(
        complete=complete / job.tensor,
        parameters=(complete - others) / job.tensor,
        weights=architecture.weights * share / job.tensor,
        largest=largest / job.tensor,
        embedding=architecture.embedding / job.tensor if ends else 0,
        head=architecture.head / job.tensor,
        layers=layers,
        microbatches=microbatches,
    )


def training_memory(
    architecture: Architecture, job: TrainingJob, context: float = 0, workspace: float = 0
) -> Memory:
    """Return the bytes of the moment when most are allocated, on the chip that needs most.

    Parameters
    ----------
    architecture, job
        What is trained, and how.
    context
        Bytes that the driver takes outside the allocator.
    workspace
        Bytes that the library for matrix products keeps.
    """
    peaks = (stage_memory(architecture, job, stage) for stage in stages(architecture, job))
    peak = max(peaks, key=lambda point: point.total)
    return replace(peak, buffers=peak.buffers + workspace, context=context)


def stage_memory(architecture: Architecture, job: TrainingJob, stage: Stage) -> Memory:
    """Return the bytes of the moment when most are allocated on a chip of a stage."""
    precision = job.bytes
    trained_share, weight_bytes = 1.0, precision.weight
    if job.adapter_rank:
        trained_share = trainable_parameters(architecture, job) / architecture.parameters
        weight_bytes = frozen_bytes(architecture, job)

    def elements(level: int) -> float:
        """Return the elements of which a chip keeps something, divided from `level` on."""
        return stage.complete / job.shards if job.shard >= level else stage.parameters

    weights = elements(3) * weight_bytes
    weights += stage.parameters * trained_share * precision.weight if job.adapter_rank else 0.0
    states = elements(1) * trained_share * precision.states
    gradients = elements(2) * trained_share * precision.gradient
    divided = job.shards if job.shard >= 2 else 1
    gathered, sums = gathered_bytes(architecture, job, stage)
    accumulated = gradients if job.accumulation > 1 else 0.0
    early = gathered + (sums if job.accumulation > 1 else 0.0)

    saved, rebuilt, casts = _saved(architecture, job, stage)
    tokens = job.tokens
    outside_layers = (
        2 * tokens * architecture.hidden * precision.residual / job.tensor + 16 * tokens
    )
    logits = tokens * architecture.vocabulary / job.tensor
    forward_size = precision.activation + 8 if precision.activation < 4 else 8
    scores = max(temporary_scores(block, job) for block in architecture)
    per_logit: float = FUSED_LOSS_BACKWARD if job.fused_loss else LOSS_BACKWARD
    per_logit += OWN_LOGITS if job.chips > 1 and not job.fused_loss else 0
    inner = max(block.feed_forward.width for block in architecture) / job.tensor
    step = tokens * (2 * inner + 2 * architecture.hidden) * precision.activation
    first = saved / stage.layers if stage.layers else 0.0
    during = max(gradients - (stage.embedding + stage.largest) * precision.gradient / divided, 0)
    head_gradient = 0.0 if job.adapter_rank else stage.head * precision.gradient / divided
    saved_casts = 0.0 if job.is_recomputed else casts
    last = tokens * architecture.hidden * precision.activation

    candidates = (
        Memory(
            weights,
            accumulated,
            states,
            saved + outside_layers,
            logits * min(forward_size, per_logit),
            0,
            early,
            casts,
        ),
        Memory(
            weights,
            accumulated,
            states,
            saved + outside_layers,
            logits * per_logit,
            0,
            early,
            saved_casts,
        ),
        Memory(
            weights,
            max(accumulated, head_gradient),
            states,
            saved + rebuilt + scores + step,
            0,
            0,
            early,
            saved_casts,
        ),
        Memory(
            weights,
            max(accumulated, during),
            states,
            first + rebuilt + scores + step,
            0,
            0,
            gathered + sums,
        ),
        Memory(weights, gradients, states, last, 0, 0, gathered + sums),
    )
    return max(candidates, key=lambda point: point.total)


def gathered_bytes(
    architecture: Architecture, job: TrainingJob, stage: Stage
) -> tuple[float, float]:
    """Return the bytes of weights and inputs, and of sums of gradients, complete for a while.

    In a pipeline, sharded weights stay complete until all microbatches are processed, and so do
    the sums of their gradients. Of an interleaved pipeline, one part of a stage is processed
    backward at a time, and its gradients are divided before those of the next part exist. Frozen
    weights have no gradients.
    """
    precision, gathered, sums = job.bytes, 0.0, 0.0
    trained = trainable_parameters(architecture, job) / architecture.parameters
    size = min(precision.weight, precision.activation)
    if job.adapter_rank:
        size = frozen_bytes(architecture, job) + trained * size
    each_gradient = trained * precision.gradient
    if job.shards > 1 and job.shard >= 2 and job.pipeline > 1:
        gathered = stage.parameters * size if job.shard >= 3 else 0.0
        sums = stage.parameters * each_gradient / job.interleaving
    elif job.shards > 1 and job.shard >= 3:
        gathered = (GATHERED_LAYERS * stage.largest + stage.head) * size
    elif job.shards > 1 and job.shard == 2:
        gathered = stage.largest * each_gradient
    if job.tensor > 1:
        gathered += GATHERED_INPUTS * job.tokens * architecture.hidden * precision.activation
    return gathered, sums


def _saved(
    architecture: Architecture, job: TrainingJob, stage: Stage
) -> tuple[float, float, float]:
    """Return bytes kept by all layers, by one that is computed again, and of cast weights."""
    share = stage.layers / architecture.layers * stage.microbatches
    every = sum(b.count * layer_bytes(b, architecture.hidden, job) for b in architecture)
    casts = (stage.weights + stage.head) * job.bytes.activation if job.bytes.casts else 0.0
    if job.shard >= 3:
        casts = 0.0
    if not job.is_recomputed:
        return every * share, 0.0, casts
    again = max(layer_bytes(block, architecture.hidden, job) for block in architecture)
    if job.checkpointing == "selective":
        selected = sum(b.count * selected_bytes(b, architecture.hidden, job) for b in architecture)
        return selected * share, again, casts
    entering = job.tokens * architecture.hidden * job.bytes.residual / job.tensor
    return entering * architecture.layers * share, again, casts
