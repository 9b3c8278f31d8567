"""What is planned: a training step, or the generation of text."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.errors import InputError
from workbench.planner.architecture import Architecture
from workbench.planner.precision import DIVIDED_AMP, INFERENCE, SHARDED_AMP, TRAINING, Precision
from workbench.planner.weights import REST_BYTES, quantized_bytes
from workbench.recipe.schema import brief

LARGEST = 10**8
ATTENTIONS = ("fused", "eager")
CHECKPOINTING = ("none", "selective", "full")


def choice(value: object, name: str, allowed: tuple[str, ...]) -> None:
    """Raise `InputError` unless `value` is one of `allowed`."""
    if value not in allowed:
        raise InputError(
            f"{name} must be one of {', '.join(allowed)}, not {brief(value)}.", code="plan.choice"
        )


def positive(value: object, name: str, least: int = 1) -> None:
    """Raise `InputError` unless `value` is an integer of at least `least`."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not is_integer or not least <= value <= LARGEST:  # type: ignore[operator]
        raise InputError(
            f"{name} must be an integer from {least} to {LARGEST:,}, not {brief(value)}.",
            code="plan.size",
        )


@dataclass(frozen=True)
class TrainingJob:
    """One training step on `chips` chips.

    Parameters
    ----------
    microbatch, sequence
        Sequences that a chip processes at once, and their tokens.
    precision
        `bf16`: weights, gradients and states in bf16. `amp`: float32 weights and states, products
        in bf16. `fp32`, `tf32`: float32 throughout.
    attention
        `fused` never stores the scores of all pairs of tokens, `eager` does.
    checkpointing
        `full` recomputes each layer in the backward pass, `selective` all but the results of
        attention and of every second matrix product.
    data, tensor, pipeline, context
        Chips that divide the batch, the matrices of a layer, the layers, and each sequence. Chips
        that divide matrices also divide the tokens (sequence parallelism).
    expert
        Of the `data` chips, those that divide the experts of a layer among themselves; tokens
        travel to their experts and back. Lepikhin et al., "GShard", arXiv 2006.16668.
    shard
        What each of the N `data` chips stores 1/N of: 1 the optimizer's states, 2 also gradients,
        3 also weights. Rajbhandari et al., "ZeRO", arXiv 1910.02054.
    accumulation
        Microbatches per step.
    interleaving
        Parts of each stage of a pipeline, processed in turn (Narayanan et al., arXiv 2104.04473).
    overlapped
        Whether sums over the chips that divide matrices overlap with products.
    fused_loss
        Whether a compiled loss keeps no logits in float32.
    adapter_rank, base_bits
        With a rank above 0, the weights are frozen in 16, 8 or 4 bits, and adapters of that rank
        are trained next to each matrix of the layers (LoRA, QLoRA).
    """

    microbatch: int
    sequence: int
    precision: str = "bf16"
    attention: str = "fused"
    checkpointing: str = "none"
    data: int = 1
    shard: int = 0
    tensor: int = 1
    pipeline: int = 1
    accumulation: int = 1
    context: int = 1
    expert: int = 1
    interleaving: int = 1
    overlapped: bool = False
    fused_loss: bool = False
    adapter_rank: int = 0
    base_bits: int = 16

    def __post_init__(self) -> None:
        for name in (
            "microbatch",
            "sequence",
            "data",
            "tensor",
            "pipeline",
            "accumulation",
            "context",
            "expert",
            "interleaving",
        ):
            positive(getattr(self, name), name)
        choice(self.precision, "precision", tuple(TRAINING))
        choice(self.attention, "attention", ATTENTIONS)
        choice(self.checkpointing, "checkpointing", CHECKPOINTING)
        positive(self.adapter_rank, "adapter_rank", least=0)
        if self.base_bits not in {4, 8, 16}:
            raise InputError(
                f"base_bits must be 4, 8 or 16, not {brief(self.base_bits)}.", code="plan.choice"
            )
        if self.data % self.expert:
            raise InputError(
                f"expert {self.expert} must divide data, {self.data}.", code="plan.layout"
            )
        if self.shard not in {0, 1, 2, 3}:
            raise InputError(
                f"shard must be 0, 1, 2 or 3, not {brief(self.shard)}.", code="plan.choice"
            )

    @property
    def chips(self) -> int:
        """All chips."""
        return self.data * self.tensor * self.pipeline * self.context

    @property
    def shards(self) -> int:
        """Chips that divide states, gradients or weights."""
        return self.data * self.context

    @property
    def tokens(self) -> int:
        """Tokens of a microbatch that a chip processes."""
        return self.microbatch * self.sequence // self.context

    @property
    def tokens_per_step(self) -> int:
        """Tokens of a step, of all chips."""
        return self.tokens * self.accumulation * self.shards

    @property
    def is_recomputed(self) -> bool:
        """Whether layers are computed a second time."""
        return self.checkpointing != "none"

    @property
    def bytes(self) -> Precision:
        """The precision's bytes per element."""
        if self.precision == "amp" and self.adapter_rank:
            return SHARDED_AMP  # frozen weights are kept in 16 bits, so that none is cast
        if self.precision == "amp" and self.shard >= 2 and self.shards > 1:
            return SHARDED_AMP
        if self.precision == "amp" and self.tensor * self.pipeline > 1:
            return DIVIDED_AMP
        return TRAINING[self.precision]


@dataclass(frozen=True)
class InferenceJob:
    """Text of `batch` sequences of `context` tokens, on `tensor` chips.

    `cache_bytes` are those of an element of the key and value cache, which has room for
    `new_tokens` more. `file_bytes` are the bytes of the weights if they are those of a file, such
    as a compressed one.
    """

    batch: int
    context: int
    precision: str = "bf16"
    tensor: int = 1
    cache_bytes: float = 2.0
    new_tokens: int = 50
    file_bytes: float | None = None

    def __post_init__(self) -> None:
        for name in ("batch", "context", "tensor", "new_tokens"):
            positive(getattr(self, name), name)
        choice(self.precision, "precision", tuple(INFERENCE))
        if self.file_bytes is not None and not 0 < self.file_bytes < math.inf:
            raise InputError(
                f"file_bytes must be a number above 0, not {brief(self.file_bytes)}.",
                code="plan.size",
            )
        if self.cache_bytes not in {0.5, 1, 2, 4}:
            raise InputError(
                f"cache_bytes must be 0.5, 1, 2 or 4, not {brief(self.cache_bytes)}.",
                code="plan.choice",
            )

    @property
    def bytes(self) -> Precision:
        """The precision's bytes per element."""
        return INFERENCE[self.precision]

    def weight_bytes(self, architecture: Architecture) -> float:
        """Return the bytes of all weights."""
        if self.file_bytes is not None:
            return self.file_bytes
        if self.bytes.weight >= REST_BYTES:
            return architecture.parameters * self.bytes.weight
        return quantized_bytes(architecture, 8 * self.bytes.weight)

    @property
    def tokens(self) -> int:
        """Tokens of all contexts."""
        return self.batch * self.context
