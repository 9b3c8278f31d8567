"""The sizes of a transformer that a plan needs, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal


@dataclass(frozen=True)
class Matrix:
    """A linear layer: its inputs, outputs and whether it has a bias."""

    inputs: int
    outputs: int
    bias: bool = False

    @cached_property
    def weights(self) -> int:
        """Elements of the matrix without its bias."""
        return self.inputs * self.outputs

    @cached_property
    def parameters(self) -> int:
        """Elements of the matrix and its bias."""
        return self.weights + (self.outputs if self.bias else 0)


@dataclass(frozen=True)
class Mixer:
    """What mixes the tokens of a sequence: attention, or a recurrence.

    `cached` are the elements that a token adds to the cache, up to `window` tokens; `state` are
    those of a sequence of any length. `heads`, `key_dim` and `value_dim` are those of the scores
    and of the values in training. A recurrence has no heads.
    """

    kind: Literal["attention", "latent", "recurrence"]
    matrices: tuple[Matrix, ...]
    heads: int = 0
    kv_heads: int = 0
    key_dim: int = 0
    value_dim: int = 0
    cached: int = 0
    window: int | None = None
    state: int = 0
    extra: int = 0

    @cached_property
    def parameters(self) -> int:
        """All elements, with `extra` ones such as norms of queries."""
        return sum(matrix.parameters for matrix in self.matrices) + self.extra

    @cached_property
    def weights(self) -> int:
        """Elements that are multiplied with each token."""
        return sum(matrix.weights for matrix in self.matrices)

    def attended(self, tokens: int) -> int:
        """Return how many of `tokens` earlier tokens the last one reads."""
        return min(tokens, self.window) if self.window else tokens


@dataclass(frozen=True)
class FeedForward:
    """The part of a layer that processes each token alone.

    With several `experts`, each token uses `active` of them, and all of the `shared` matrices.
    """

    matrices: tuple[Matrix, ...] = ()
    shared: tuple[Matrix, ...] = ()
    router: tuple[Matrix, ...] = ()
    experts: int = 1
    active: int = 1
    gated: bool = False
    extra: int = 0

    @property
    def width(self) -> int:
        """Hidden units that a token uses, in all."""
        width = self.matrices[-1].inputs * self.active if self.matrices else 0
        return width + (self.shared[-1].inputs if self.shared else 0)

    @cached_property
    def parameters(self) -> int:
        """All elements, of all experts."""
        common = sum(matrix.parameters for matrix in self.shared + self.router) + self.extra
        return self.experts * sum(matrix.parameters for matrix in self.matrices) + common

    @property
    def idle_parameters(self) -> int:
        """Elements of the experts that a token does not use."""
        each = sum(matrix.parameters for matrix in self.matrices)
        return (self.experts - self.active) * each

    @cached_property
    def weights(self) -> int:
        """Elements that are multiplied with each token."""
        common = sum(matrix.weights for matrix in self.shared + self.router)
        return self.active * sum(matrix.weights for matrix in self.matrices) + common


@dataclass(frozen=True)
class Block:
    """`count` equal layers."""

    count: int
    mixer: Mixer
    feed_forward: FeedForward
    norms: int = 0
    norm_count: int = 2

    @cached_property
    def parameters(self) -> int:
        """Elements of one layer."""
        return self.mixer.parameters + self.feed_forward.parameters + self.norms

    @cached_property
    def weights(self) -> int:
        """Elements of one layer that are multiplied with each token."""
        return self.mixer.weights + self.feed_forward.weights

    @cached_property
    def expert_parameters(self) -> int:
        """Elements of the experts of one layer, of which tokens choose some."""
        part = self.feed_forward
        each = sum(matrix.parameters for matrix in part.matrices)
        return part.experts * each if part.experts > 1 else 0


@dataclass(frozen=True)
class Architecture:
    """A decoder-only language model.

    `embedding` are the elements of the token embedding, `positions` those of learned positions and
    of projections around the embedding, `final` those after the last layer without the head.
    `longest` are the tokens that learned positions allow, None for other positions; `named` are
    those that the configuration names.
    """

    family: str
    hidden: int
    vocabulary: int
    blocks: tuple[Block, ...]
    tied: bool
    embedding: int
    positions: int = 0
    final: int = 0
    head_bias: int = 0
    longest: int | None = None
    named: int | None = None

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    @cached_property
    def layers(self) -> int:
        """The number of layers."""
        return sum(block.count for block in self.blocks)

    @cached_property
    def head(self) -> int:
        """Elements of the matrix that computes the logits."""
        return self.embedding

    @cached_property
    def layer_parameters(self) -> int:
        """Elements of all layers."""
        return sum(block.count * block.parameters for block in self.blocks)

    @cached_property
    def expert_parameters(self) -> int:
        """Elements of the experts of all layers."""
        return sum(block.count * block.expert_parameters for block in self.blocks)

    @cached_property
    def parameters(self) -> int:
        """All elements; a matrix that embedding and head share counts once."""
        heads = self.embedding * (1 if self.tied else 2) + self.head_bias
        return self.layer_parameters + heads + self.positions + self.final

    @cached_property
    def active_parameters(self) -> int:
        """The elements that one token uses: without experts that are not chosen."""
        idle = sum(block.count * block.feed_forward.idle_parameters for block in self.blocks)
        return self.parameters - idle

    @cached_property
    def weights(self) -> int:
        """Elements of the layers that are multiplied with each token, without the head."""
        return sum(block.count * block.weights for block in self.blocks)

    @cached_property
    def attention_blocks(self) -> tuple[Block, ...]:
        """The blocks with attention."""
        return tuple(block for block in self.blocks if block.mixer.heads)
