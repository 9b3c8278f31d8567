"""How many layers of a network a runtime really computes in integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ORT_PRODUCTS = (
    "QLinearConv",
    "QLinearMatMul",
    "QGemm",
    "MatMulIntegerToFloat",
    "DynamicQuantizeMatMul",
    "ConvInteger",
    "MatMulInteger",
)
"""Operators of ONNX Runtime that multiply integers."""
INTEGERS = ("u8", "i8")


def integer_products(facts: Mapping[str, Any]) -> int:
    """Return the number of products of integers, from what a session says of its graph."""
    operators = facts.get("operators", {})
    products = facts.get("products", {})
    count = sum(operators.get(name, 0) for name in ORT_PRODUCTS)
    return int(count + sum(products.get(name, 0) for name in INTEGERS))
