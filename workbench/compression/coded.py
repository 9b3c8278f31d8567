"""Tensors as the file stores them: values, codes with scales, shared values, or two factors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.compression.axes import Axes, Shape
from workbench.errors import InputError

DTYPES: dict[str, torch.dtype] = {
    "f32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "f64": torch.float64,
    "i64": torch.int64,
    "i32": torch.int32,
    "i16": torch.int16,
    "i8": torch.int8,
    "u64": torch.uint64,
    "u32": torch.uint32,
    "u16": torch.uint16,
    "u8": torch.uint8,
    "bool": torch.bool,
}
BUFFERS = DTYPES | {
    "c64": torch.complex64,
    "c128": torch.complex128,
    "f8e4m3": torch.float8_e4m3fn,
    "f8e5m2": torch.float8_e5m2,
}
"""`DTYPES` and the dtypes of buffers only, which are never compressed."""
WIDTHS = {name: dtype.itemsize for name, dtype in BUFFERS.items()}
STORED_AS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}


class CodedBase:
    """What all coded tensors have: a `shape`, and `axes` if they are not in the canonical layout.

    Rows, runs and blocks are those of `coded_shape`, and flat values are in its order.
    """

    shape: Shape
    axes: Axes | None

    @property
    def coded_shape(self) -> Shape:
        """The canonical shape, in which the tensor is coded."""
        return self.shape if self.axes is None else self.axes.shape(self.shape)

    def _restore(self, tensor: Tensor) -> Tensor:
        """Return a decoded `tensor` in the original layout."""
        if self.axes is None:
            return tensor.view(self.shape)
        return self.axes.from_canonical(tensor, self.shape)


@dataclass(frozen=True)
class Uncompressed(CodedBase):
    """Unchanged values: `bits` holds their bit patterns, flat, in the width of `dtype`."""

    shape: Shape
    dtype: str
    bits: NDArray[np.unsignedinteger | np.complexfloating]
    axes: Axes | None = None

    @classmethod
    def of(cls, tensor: Tensor, *, exact: bool = False) -> Uncompressed:
        """Copy `tensor`; unless `exact`, negative zeros become positive.

        Raises
        ------
        InputError
            If files cannot store its dtype.
        """
        name = next((name for name, dtype in BUFFERS.items() if dtype == tensor.dtype), None)
        if name is None:
            raise InputError(
                f"Tensors of {tensor.dtype} cannot be stored: convert them to another dtype.",
                code="model.unsupported_dtype",
            )
        values = tensor + 0.0 if tensor.is_floating_point() and not exact else tensor.clone()
        raw = values.detach().contiguous().flatten().view(torch.uint8).numpy()
        return cls(tuple(tensor.shape), name, raw.view(STORED_AS[WIDTHS[name]]))

    @property
    def nonzero(self) -> NDArray[np.bool_]:
        """A mask of the flat values that are not zero."""
        flags: NDArray[np.bool_] = self.bits != 0
        return flags

    def tensor(self) -> Tensor:
        """Return the tensor; 16-bit floats are widened to float32."""
        raw = torch.from_numpy(self.bits.view(np.uint8))
        tensor = self._restore(raw.view(BUFFERS[self.dtype]))
        return tensor.float() if self.dtype in ("bf16", "fp16") else tensor


@dataclass(frozen=True)
class Codes(CodedBase):
    """Integer codes: value = (code − zero point) · scale, in float32.

    `codes` is uint8, flat, in the order of `coded_shape`. The tensor is read as `rows` rows of
    equal length, each split into runs of `group` values (the last may be shorter). Each run has one
    `scale`, float32, and one `zero_point`, uint8, both [rows · runs]. The zero point of symmetric
    codes is always the middle one, 2^(bits−1) − 1, and is not stored.
    """

    shape: Shape
    bits: int
    rows: int
    group: int
    affine: bool
    codes: NDArray[np.uint8]
    scale: NDArray[np.float32]
    zero_point: NDArray[np.uint8]
    axes: Axes | None = None

    @property
    def length(self) -> int:
        """The number of values in a row."""
        return self.codes.size // self.rows if self.rows else 0

    @property
    def nonzero(self) -> NDArray[np.bool_]:
        """A mask of the flat codes that do not decode to zero."""
        zero = self.zero_codes() if self.affine else np.uint8(2 ** (self.bits - 1) - 1)
        flags: NDArray[np.bool_] = self.codes != zero
        return flags

    def zero_codes(self) -> NDArray[np.uint8]:
        """Return the code of zero at each flat position."""
        if not self.affine or not self.codes.size:
            return np.full(self.codes.size, 2 ** (self.bits - 1) - 1, np.uint8)
        return expand_runs(self.zero_point, self.rows, self.length, self.group)

    @property
    def has_row_scales(self) -> bool:
        """Whether each entry of the first axis has exactly one scale and zero point."""
        return self.codes.size > 0 and self.group == self.length and self.axes is None

    def centered_codes(self) -> tuple[Tensor, Tensor]:
        """Return codes minus zero points, and the scale of each entry of the first axis.

        Valid only if `has_row_scales`. Both are float32: integers of the tensor's shape, and
        [shape[0]].
        """
        codes = torch.from_numpy(self.codes).float() - torch.from_numpy(self.zero_codes()).float()
        scale = torch.from_numpy(self.scale).expand(self.shape[0]).clone()
        return codes.view(self.shape), scale

    def tensor(self) -> Tensor:
        """Return the decoded float32 tensor."""
        if not self.codes.size:
            return torch.zeros(self.shape)
        values = torch.from_numpy(self.codes).view(self.rows, self.length).float()
        runs = -(-self.length // self.group)
        scale = torch.from_numpy(self.scale).view(self.rows, runs, 1)
        zero = torch.from_numpy(self.zero_point).view(self.rows, runs, 1).float()
        full = self.length // self.group
        full_runs = values[:, : full * self.group].unflatten(1, (full, self.group))
        full_runs.sub_(zero[:, :full]).mul_(scale[:, :full])
        if full < runs:
            values[:, full * self.group :].sub_(zero[:, -1]).mul_(scale[:, -1])
        return self._restore(values)


@dataclass(frozen=True)
class Shared(CodedBase):
    """Indices into a codebook: uint8 `codes`, flat, in the order of `coded_shape`.

    The tensor is read as rows of equal length, one per row of `codebook`, float32 [rows, values].
    Code c is value c of its row's codebook. With `zero`, code 0 is zero and code c is value c − 1.
    """

    shape: Shape
    zero: bool
    codes: NDArray[np.uint8]
    codebook: NDArray[np.float32]
    axes: Axes | None = None

    @property
    def alphabet(self) -> int:
        """The number of different codes."""
        return int(self.codebook.shape[1]) + self.zero

    @property
    def nonzero(self) -> NDArray[np.bool_]:
        """A mask of the flat codes that do not decode to zero."""
        flags: NDArray[np.bool_] = self.codes >= self.zero
        return flags

    def tensor(self) -> Tensor:
        """Return the decoded float32 tensor."""
        table = np.pad(self.codebook, ((0, 0), (int(self.zero), 0)))
        rows = self.codes.reshape(len(table), -1)
        return self._restore(torch.from_numpy(np.take_along_axis(table, rows, axis=1)))


Single = Uncompressed | Codes | Shared


@dataclass(frozen=True)
class Factors(CodedBase):
    """A product of two matrices: `u` [m, r] and `v` [r, n], each coded by itself.

    m is the length of the first axis of `coded_shape`, and n the product of the others.
    """

    shape: Shape
    u: Single
    v: Single
    axes: Axes | None = None

    @property
    def rank(self) -> int:
        """The rank of the product."""
        return self.u.shape[1]

    def tensor(self) -> Tensor:
        """Return the product, float32. It is computed once."""
        return self._restore(torch.from_numpy(self._product))

    @cached_property
    def _product(self) -> NDArray[np.float32]:
        """The sum of the rank-1 terms in order.

        Each product and each sum is rounded by IEEE 754. The matrix products of libraries do not
        give the same bits on every machine.
        """
        u, v = self.u.tensor().numpy(), self.v.tensor().numpy()
        out = np.zeros((u.shape[0], v.shape[1]), np.float32)
        term = np.empty_like(out)
        for column, row in zip(u.T, v, strict=True):
            np.multiply(column[:, None], row, out=term)
            out += term
        return out


Coded = Single | Factors


def expand_runs(
    per_run: NDArray[np.uint8], rows: int, length: int, group: int
) -> NDArray[np.uint8]:
    """Repeat the entry of each run for all values of the run; flat [rows · length]."""
    runs = per_run.reshape(rows, -1)
    return np.repeat(runs, group, axis=1)[:, :length].reshape(-1)
