"""Bytes that ranks hold and hand over, computed by hand for small networks."""

from __future__ import annotations

import pytest

from workbench.parallel.formulas import communicated_bytes, held_bytes, owners
from workbench.parallel.plan import Plan

SHAPES = {"weight": (5, 2), "bias": (3,)}
WHOLE, PARTS = 4 * (10 + 3), 4 * (3 * 2 + 2)  # of two ranks, padded to rows of 6 and 4


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"ranks": 1}, {}),
        ({}, {"all_reduce": WHOLE}),
        ({"sync": "every_k", "every": 4}, {"all_reduce": WHOLE / 4}),
        ({"sync": "never"}, {}),
        ({"strategy": "zero1"}, {"all_reduce": WHOLE, "broadcast": WHOLE}),
        ({"strategy": "zero2"}, {"all_gather": PARTS, "reduce_scatter": 2 * PARTS}),
        ({"strategy": "zero3"}, {"all_gather": 2 * PARTS, "reduce_scatter": 2 * PARTS}),
        ({"strategy": "pipeline"}, None),
    ],
)
def test_bytes_that_a_rank_hands_over(settings, expected):
    assert communicated_bytes(Plan(**{"ranks": 2, **settings}), SHAPES) == expected


def test_the_largest_parameters_are_assigned_first():
    shapes = {"a": (2,), "b": (8,), "c": (3,), "d": (6,)}
    assert owners(shapes, 2) == {"b": 0, "d": 1, "c": 1, "a": 0}
    moments = [held_bytes(Plan("zero1", ranks=2), shapes, rank)["optimizer"] for rank in (0, 1)]
    assert moments == [2 * 4 * (8 + 2), 2 * 4 * (6 + 3)]
