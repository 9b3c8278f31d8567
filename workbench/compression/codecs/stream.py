"""A coded tensor as the bytes of its stream, and back.

A stream is its parts end to end: scales (float32), zero points (uint8, affine only), index,
values. What the parts are and how long stands in an entry of the file's header.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.compression.codecs import huffman, index
from workbench.compression.codecs.choose import Forms
from workbench.compression.codecs.packing import pack, packed_size, unpack
from workbench.compression.coded import STORED_AS, WIDTHS, Coded, Codes, Plain

Entry = dict[str, Any]


@dataclass(frozen=True)
class Parts:
    """The bytes of each part of a stream, as its header entry tells.

    `tables` is what Huffman coding adds to say how it codes, inside `index` and `values` on disk.
    """

    scales: int
    zero_points: int
    index: int
    index_table: int
    values: int
    values_table: int

    @property
    def total(self) -> int:
        """Bytes of the stream."""
        return self.scales + self.zero_points + self.index + self.values


def entry(coded: Coded, chosen: Forms) -> Entry:
    """Return the header entry that describes the stream of `coded`: short, plain JSON data."""
    form = chosen.best
    out: Entry = {"shape": list(coded.shape)}
    if isinstance(coded, Codes):
        out["bits"] = coded.bits
        out["rows"] = coded.rows
        if coded.group != coded.length:
            out["group"] = coded.group
        if coded.affine:
            out["affine"] = 1
    elif coded.dtype != "f32":
        out["dtype"] = coded.dtype
    out |= index.describe(form.index)
    if form.values.kind == "huffman":
        out["huffman"] = form.values.size
    return out


def parts(entry: Entry) -> Parts:
    """Return the length of each part of the stream that `entry` describes."""
    total = prod(entry["shape"])
    count, places, table = index.sizes(entry)
    if "bits" not in entry:
        return Parts(0, 0, places, table, count * WIDTHS[entry.get("dtype", "f32")], 0)
    length = total // entry["rows"] if entry["rows"] else 0
    runs = -(-length // entry.get("group", length)) if length else 0
    grids = entry["rows"] * runs
    values, values_table = packed_size(count, entry["bits"]), 0
    if "huffman" in entry:
        values, values_table = entry["huffman"], huffman.table_size(2 ** entry["bits"], count)
    affine = grids if entry.get("affine") else 0
    return Parts(4 * grids, affine, places, table, values, values_table)


def write(coded: Coded, chosen: Forms) -> bytes:
    """Return the stream of `coded` in its best form."""
    form = chosen.best
    out = []
    if isinstance(coded, Codes):
        out.append(coded.scale.astype("<f4").tobytes())
        if coded.affine:
            out.append(coded.zero_point.tobytes())
    out.append(index.write(form.index, coded.nonzero, coded.shape))
    whole = coded.codes if isinstance(coded, Codes) else coded.bits
    values = whole if form.index.positions is None else whole[form.index.positions]
    if isinstance(coded, Plain):
        out.append(values.astype(values.dtype.newbyteorder("<")).tobytes())
    elif form.values.plan is not None and form.values.kind == "huffman":
        out.append(huffman.encode(values, form.values.plan))
    else:
        out.append(pack(values, coded.bits))
    return b"".join(out)


def read(entry: Entry, stream: bytes) -> Coded:
    """Return the tensor whose stream `entry` describes.

    Raises
    ------
    ValueError
        When the stream does not hold what the entry says.
    """
    shape = tuple(entry["shape"])
    total = int(np.prod(shape, dtype=np.int64))
    sizes = parts(entry)
    at = sizes.scales + sizes.zero_points
    positions = index.read(entry, stream[at : at + sizes.index])
    count = total if positions is None else positions.size
    tail = stream[at + sizes.index :]
    if "bits" not in entry:
        dtype = entry.get("dtype", "f32")
        stored = np.dtype(STORED_AS[WIDTHS[dtype]])
        values = np.frombuffer(tail, stored.newbyteorder("<"), count).astype(stored)
        if dtype == "bool" and values.max(initial=0) > 1:
            raise ValueError("a truth value is neither 0 nor 1")
        return Plain(shape, dtype, _placed(values, positions, np.zeros(total, stored)))
    bits, rows, affine = entry["bits"], entry["rows"], bool(entry.get("affine"))
    scale = np.frombuffer(stream, "<f4", sizes.scales // 4).astype(np.float32)
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError("a scale is not a positive number")
    if affine:
        zero = np.frombuffer(stream, np.uint8, scale.size, sizes.scales).copy()
    else:
        zero = np.full(scale.size, 2 ** (bits - 1) - 1, np.uint8)
    symbols = (
        huffman.decode(tail, 2**bits, count) if "huffman" in entry else unpack(tail, bits, count)
    )
    top = 2**bits - (1 if affine else 2)
    if max(symbols.max(initial=0), zero.max(initial=0)) > top:
        raise ValueError("a code is larger than its bits allow")
    length = total // rows if rows else 0
    group = entry.get("group", length)
    empty = Codes(shape, bits, rows, group, affine, np.zeros(total, np.uint8), scale, zero)
    codes = _placed(symbols, positions, empty.zero_codes())
    return Codes(shape, bits, rows, group, affine, codes, scale, zero)


def _placed(
    values: NDArray[Any], positions: NDArray[np.int64] | None, background: NDArray[Any]
) -> NDArray[Any]:
    if positions is None:
        return values
    background[positions] = values
    return background
