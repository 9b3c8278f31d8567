"""Bytes per element of each kind of value, and the arithmetic that multiplies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rate = Literal["bf16", "fp32", "tf32", "fp8", "int8"]


@dataclass(frozen=True)
class Precision:
    """Bytes of a weight, a gradient, the optimizer's states of a weight, and an activation.

    With `casts`, weights are kept in float32 and cast for each product (autocast), and the
    residual stream and norms stay in float32.
    """

    rate: Rate
    weight: float
    gradient: float
    states: float
    activation: float
    casts: bool = False

    @property
    def residual(self) -> float:
        """Bytes of an element of the residual stream."""
        return 4 if self.casts else self.activation


TRAINING: dict[str, Precision] = {
    "bf16": Precision("bf16", 2, 2, 4, 2),
    "amp": Precision("bf16", 4, 4, 8, 2, casts=True),
    "fp32": Precision("fp32", 4, 4, 8, 4),
    "tf32": Precision("tf32", 4, 4, 8, 4),
    "fp8": Precision("fp8", 4, 4, 8, 2),
}
"""Precisions of training with Adam, which keeps two states per weight."""

SHARDED_AMP = Precision("bf16", 4, 4, 8, 2)
"""Autocast with sharded weights: the shards are cast before they are gathered."""
DIVIDED_AMP = Precision("bf16", 2, 4, 12, 2)
"""Divided matrices or layers, as in Megatron: the optimizer's states include float32 weights."""

INFERENCE: dict[str, Precision] = {
    "bf16": Precision("bf16", 2, 0, 0, 2),
    "fp32": Precision("fp32", 4, 0, 0, 4),
    "tf32": Precision("tf32", 4, 0, 0, 4),
    "fp8": Precision("fp8", 1, 0, 0, 2),
    "int8": Precision("int8", 1, 0, 0, 2),
    "int4": Precision("bf16", 0.5, 0, 0, 2),
}
"""Precisions of weights in inference; 4-bit weights are widened before each product."""
