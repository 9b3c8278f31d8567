"""Quantization parameters as ONNX writes them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.artifact.module_spec import InputQParams
from workbench.deploy.integers.graph import Graph

BYTE_BITS = 8
MIDDLES: dict[type[np.generic], int] = {np.int8: 0, np.uint8: 128}
"""The middle of the codes, by their type."""


class OnnxQParams(NamedTuple):
    """A scale, and a zero point of the type of the codes: int8 if it is the middle of 8 bits."""

    scale: np.float32
    zero_point: np.uint8 | np.int8

    @classmethod
    def of(cls, qparams: InputQParams, *, unsigned: bool = False) -> OnnxQParams:
        """Return those of `qparams`: int8 codes are 128 less, and mean the same values.

        With `unsigned`, the zero point is uint8 in any case.
        """
        middle = MIDDLES[np.uint8]
        signed = not unsigned and (qparams.bits, qparams.zero_point) == (BYTE_BITS, middle)
        zero_point = np.int8(0) if signed else np.uint8(qparams.zero_point)
        return cls(np.float32(qparams.scale), zero_point)

    @property
    def cuts_negatives(self) -> bool:
        """Whether the lowest code represents zero."""
        return isinstance(self.zero_point, np.uint8) and int(self.zero_point) == 0


def add_rounding(
    graph: Graph, name: str, label: str, qparams: InputQParams, *, unsigned: bool = False
) -> str:
    """Quantize and dequantize the tensor `name`, and return the name of the result.

    Codes of fewer than 8 bits saturate at their own bounds, so values are cut off first. With
    `unsigned`, all codes are uint8.
    """
    written = OnnxQParams.of(qparams, unsigned=unsigned)
    scale = graph.add_constant(f"{label}.s", np.asarray(written.scale))
    zero = graph.add_constant(f"{label}.z", np.asarray(written.zero_point))
    if qparams.bits < BYTE_BITS:
        top = (qparams.top - qparams.zero_point) * written.scale
        bound = graph.add_constant(f"{label}_top", np.asarray(top, np.float32))
        name = graph.add_node("Min", [name, bound], f"{label}_cut")
    codes = graph.add_node("QuantizeLinear", [name, scale, zero], f"{label}.q")
    return graph.add_node("DequantizeLinear", [codes, scale, zero], f"{label}_rounded")


def add_rounding_by_arithmetic(graph: Graph, name: str, label: str, qparams: InputQParams) -> str:
    """Round the tensor `name` like `add_rounding`, by ordinary arithmetic."""
    scale = graph.add_constant(f"{label}.s", np.asarray(np.float32(qparams.scale)))
    low = graph.add_constant(f"{label}_low", np.asarray(np.float32(-qparams.zero_point)))
    high = np.float32(qparams.top - qparams.zero_point)
    top = graph.add_constant(f"{label}_high", np.asarray(high))
    name = graph.add_node("Div", [name, scale], f"{label}_steps")
    name = graph.add_node("Round", [name], f"{label}_whole")
    name = graph.add_node("Max", [name, low], f"{label}_raised")
    name = graph.add_node("Min", [name, top], f"{label}_lowered")
    return graph.add_node("Mul", [name, scale], f"{label}_rounded")


def row_codes(codes: NDArray[np.float32]) -> NDArray[np.int8] | None:
    """Return centered codes as int8, or None if they do not fit."""
    if not codes.size or np.abs(codes).max() > np.iinfo(np.int8).max:
        return None
    return codes.astype(np.int8)
