from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
import torch

from workbench.runtime.nested import map_tensors, tensors_directly_in, tensors_in

A, B, C = (torch.full((2,), value) for value in (1.0, 2.0, 3.0))
Pair = namedtuple("Pair", "first second")  # noqa: PYI024 - modules return such tuples


@dataclass
class Output:
    logits: torch.Tensor
    hidden: tuple


NESTED = {
    "a tensor": (A, [A]),
    "no tensor": ("text", []),
    "a tuple": ((A, 3, [B, {"c": C}]), [A, B, C]),
    "a dict": (OrderedDict(b=B, a=[A]), [B, A]),
    "a named tuple": (Pair(A, (B,)), [A, B]),
    "a dataclass": (Output(A, (B, None, C)), [A, B, C]),
    "a class": (Output, []),
}


@pytest.mark.parametrize(("value", "expected"), NESTED.values(), ids=NESTED)
def test_tensors_in(value, expected):
    assert [*map(id, tensors_in(value))] == [*map(id, expected)]


def test_tensors_directly_in():
    assert [*map(id, tensors_directly_in({"a": A, "b": [B], "c": C}))] == [id(A), id(C)]
    assert [*tensors_directly_in(Output(A, ()))] == []


def test_map_tensors():
    result = map_tensors(lambda tensor: tensor * 2, {"pair": Pair(A, "text"), "list": [B, (C,)]})
    assert result["pair"].first.tolist() == [2, 2]
    assert result["pair"].second == "text"
    assert isinstance(result["list"], list)
    assert result["list"][1][0].tolist() == [6, 6]
    assert A.tolist() == [1, 1]
