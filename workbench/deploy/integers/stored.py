"""Find the weights of a file among the constants of an ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.compression.coded import Coded, Codes
from workbench.deploy.integers.graph import Graph

GATES = {3: (1, 0, 2), 4: (0, 3, 1, 2)}
"""The order in which ONNX has the gates of recurrent layers, by their number.

PyTorch has the reset, update and new gate of a GRU, and the input, forget, cell and output gate of
an LSTM.
"""
REVERSE = "_reverse"
"""The end of the names of the second direction of a recurrent layer."""


@dataclass(frozen=True)
class Stored:
    """A constant of a graph and the codes that it decodes from.

    Attributes
    ----------
    constant : str
        The name of the constant, float32.
    names : tuple of str
        The names of the file's tensors: several are stacked along a first axis.
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
    order : tuple of int
        The order of the axes of that in the constant.
    """

    constant: str
    names: tuple[str, ...]
    codes: NDArray[np.uint8]
    scale: NDArray[np.float32]
    zero_point: NDArray[np.uint8]
    bits: int
    length: int
    shape: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the first of the file's tensors."""
        return self.names[0]

    @property
    def transposed(self) -> bool:
        """Whether the order of the axes differs between the constant and the codes."""
        return self.order != tuple(range(len(self.order)))

    @property
    def symmetric(self) -> bool:
        """Whether every zero point is the middle code."""
        return bool((self.zero_point == 2 ** (self.bits - 1) - 1).all())

    @property
    def decoded(self) -> NDArray[np.float32]:
        """The values of the constant."""
        values = (self.codes.astype(np.float32) - self.zero_point) * self.scale
        rows = values.reshape(len(values), -1)[:, : self.length].reshape(self.shape)
        return rows.transpose(self.order)


def stored_weights(graph: Graph, tensors: Mapping[str, Coded]) -> Iterator[Stored]:
    """Yield the constants that decode from codes of `tensors`, compared value by value."""
    free = {name for name in graph.constants() if graph.consumers(name)}
    codes = {name: coded for name, coded in tensors.items() if isinstance(coded, Codes)}
    matched: set[str] = set()
    for name, coded in codes.items():
        if name in matched or not coded.codes.size:
            continue
        for candidate in _candidates(name, codes):
            constant = _equal(graph, free, candidate)
            if constant is not None:
                free.discard(constant)
                matched.update(candidate.names)
                yield replace(candidate, constant=constant)
                break


def _candidates(name: str, tensors: Mapping[str, Codes]) -> Iterator[Stored]:
    first = _as_rows(name, tensors[name])
    yield first
    axes = len(first.shape)
    if axes < 2:
        return
    yield replace(first, order=(1, 0, *range(2, axes)))
    if axes > 2:
        return
    yield from _stacked([first])
    reverse = f"{name}{REVERSE}"
    if reverse in tensors:
        second = _as_rows(reverse, tensors[reverse])
        if (second.codes.shape, second.bits) == (first.codes.shape, first.bits):
            yield from _stacked([first, second])


def _as_rows(name: str, coded: Codes) -> Stored:
    """Return codes in the order of the file, each row one after the other."""
    runs = (coded.rows, -(-coded.length // coded.group))
    rows = coded.codes.reshape(coded.rows, coded.length)
    filled = np.pad(rows, ((0, 0), (0, runs[1] * coded.group - coded.length)))
    shape = tuple(coded.coded_shape)
    return Stored(
        "",
        (name,),
        filled.reshape(*runs, coded.group),
        coded.scale.reshape(*runs, 1),
        coded.zero_point.reshape(*runs, 1),
        coded.bits,
        coded.length,
        shape,
        tuple(range(len(shape))),
    )


def _stacked(parts: Sequence[Stored]) -> Iterator[Stored]:
    """Yield the weights of the directions of a recurrent layer as ONNX has them."""
    rows = len(parts[0].codes)
    for count, order in GATES.items():
        if rows != parts[0].shape[0] or rows % count:
            continue
        gates = np.arange(rows).reshape(count, -1)[[*order]].reshape(-1)
        yield replace(
            parts[0],
            names=tuple(name for part in parts for name in part.names),
            codes=np.concatenate([part.codes[gates] for part in parts]),
            scale=np.concatenate([part.scale[gates] for part in parts]),
            zero_point=np.concatenate([part.zero_point[gates] for part in parts]),
            shape=(len(parts), *parts[0].shape),
            order=(0, 1, 2),
        )


def _equal(graph: Graph, free: set[str], candidate: Stored) -> str | None:
    shape = tuple(candidate.shape[axis] for axis in candidate.order)
    fitting = [name for name in sorted(free) if graph.shape(name) == (np.float32, shape)]
    if not fitting:
        return None
    values = candidate.decoded
    fitting.sort(key=lambda name: name != candidate.name)
    return next((name for name in fitting if np.array_equal(graph.array(name), values)), None)
