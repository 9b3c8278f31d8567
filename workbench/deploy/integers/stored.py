"""Find the weights of a file among the constants of an ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.compression.coded import Coded, Codes
from workbench.deploy.integers.graph import Graph

GATES = 3
"""Parts of a GRU's weights: ONNX has the update gate first, PyTorch the reset gate."""


@dataclass(frozen=True)
class Stored:
    """A constant of a graph and the codes that it decodes from.

    Attributes
    ----------
    constant : str
        The name of the constant, float32.
    name : str
        The name of the file's tensor.
    codes : array
        uint8 [rows, runs, group]; a shorter last run is filled up.
    scale, zero_point : array
        float32 and uint8, each [rows, runs, 1].
    bits : int
        The bits of a code.
    length : int
        The number of values in a row.
    shape : tuple
        The shape to which the decoded rows are reshaped.
    transposed : bool
        Whether the constant is the transpose of that.
    """

    constant: str
    name: str
    codes: NDArray[np.uint8]
    scale: NDArray[np.float32]
    zero_point: NDArray[np.uint8]
    bits: int
    length: int
    shape: tuple[int, ...]
    transposed: bool

    @property
    def symmetric(self) -> bool:
        """Whether every zero point is the middle code."""
        return bool((self.zero_point == 2 ** (self.bits - 1) - 1).all())

    @property
    def decoded(self) -> NDArray[np.float32]:
        """The values of the constant."""
        values = (self.codes.astype(np.float32) - self.zero_point) * self.scale
        rows = values.reshape(len(values), -1)[:, : self.length].reshape(self.shape)
        return rows.T if self.transposed else rows


def stored_weights(graph: Graph, tensors: Mapping[str, Coded]) -> Iterator[Stored]:
    """Yield the constants that decode from codes of `tensors`, compared value by value."""
    free = {name for name in graph.constants() if graph.consumers(name)}
    for name, coded in tensors.items():
        if not isinstance(coded, Codes) or coded.axes is not None or not coded.codes.size:
            continue
        for candidate in _candidates(name, coded):
            constant = _equal(graph, free, candidate)
            if constant is not None:
                free.discard(constant)
                yield replace(candidate, constant=constant)
                break


def _candidates(name: str, coded: Codes) -> Iterator[Stored]:
    runs = (coded.rows, -(-coded.length // coded.group))
    rows = coded.codes.reshape(coded.rows, coded.length)
    filled = np.pad(rows, ((0, 0), (0, runs[1] * coded.group - coded.length)))
    first = Stored(
        "",
        name,
        filled.reshape(*runs, coded.group),
        coded.scale.reshape(*runs, 1),
        coded.zero_point.reshape(*runs, 1),
        coded.bits,
        coded.length,
        coded.shape,
        transposed=False,
    )
    yield first
    if len(coded.shape) != 2:
        return
    yield replace(first, transposed=True)
    if coded.rows == coded.shape[0] and coded.rows % GATES == 0:
        order = _gates_of_onnx(coded.rows)
        yield replace(
            first,
            codes=first.codes[order],
            scale=first.scale[order],
            zero_point=first.zero_point[order],
            shape=(1, *coded.shape),
        )


def _gates_of_onnx(rows: int) -> NDArray[np.int64]:
    reset, update, new = np.split(np.arange(rows), GATES)
    return np.concatenate([update, reset, new])


def _equal(graph: Graph, free: set[str], candidate: Stored) -> str | None:
    shape = candidate.shape[::-1] if candidate.transposed else candidate.shape
    fitting = [name for name in sorted(free) if graph.shape(name) == (np.float32, shape)]
    if not fitting:
        return None
    values = candidate.decoded
    fitting.sort(key=lambda name: name != candidate.name)
    return next((name for name in fitting if np.array_equal(graph.array(name), values)), None)
