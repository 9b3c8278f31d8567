"""Write a coded tensor as a stream of bytes, and read it back.

A stream is the concatenation of its parts: scales (float32) and zero points (uint8, affine only) of
codes, or the codebook (float32) of shared values, then index and values. An entry of the file's
header describes the parts and their lengths.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.compression.axes import Axes
from workbench.compression.codecs import huffman, positions
from workbench.compression.codecs.encoding import (
    Encoding,
    EncodingOptions,
    encodings,
    symbols_of,
    take_stored,
)
from workbench.compression.codecs.packing import pack, packed_size, symbol_bits, unpack
from workbench.compression.coded import (
    STORED_AS,
    WIDTHS,
    Coded,
    Codes,
    Factors,
    Shared,
    Single,
    Uncompressed,
)
from workbench.compression.pieces import pieces
from workbench.compression.sparsity_patterns import Flags
from workbench.recipe import Prune

Entry = dict[str, Any]


SAME_KEY = "same"
"""In an entry: the name of an earlier tensor whose stream is also that of this one."""


@dataclass(frozen=True)
class Parts:
    """The number of bytes of each part of a stream.

    `index` (the positions of nonzero values) and `values` include their Huffman tables.
    """

    scales: int
    zero_points: int
    codebook: int
    index: int
    index_table: int
    values: int
    values_table: int

    @property
    def before_index(self) -> int:
        """Number of bytes before the index: scales, zero points and codebook."""
        return self.scales + self.zero_points + self.codebook

    @property
    def total(self) -> int:
        """Number of bytes of the stream."""
        return self.before_index + self.index + self.values


StreamOptions = EncodingOptions | tuple[EncodingOptions, EncodingOptions]
"""The encodings considered for a tensor, or for each of its two factors."""


def find_encodings(
    coded: Coded, prune: Prune | None = None, *, include_larger: bool | None = None
) -> StreamOptions:
    """Return the smallest encodings of a tensor that `prune` has pruned, as `encodings` does.

    By default, an encoding that cannot be the smallest is computed only for a pruned tensor, whose
    report explains the choice.
    """
    include_larger = prune is not None if include_larger is None else include_larger
    if isinstance(coded, Factors):
        u = encodings(coded.u, include_larger=include_larger)
        return u, encodings(coded.v, include_larger=include_larger)
    return encodings(coded, prune, include_larger=include_larger)


def entry(coded: Coded, options: StreamOptions) -> Entry:
    """Return the header entry that describes the stream of `coded`, as JSON data."""
    if isinstance(coded, Factors):
        assert isinstance(options, tuple)
        factors = zip((coded.u, coded.v), options, strict=True)
        return {**_describe_shape(coded), "factors": [entry(*factor) for factor in factors]}
    assert isinstance(options, EncodingOptions)
    best = options.best
    out: Entry = {**_describe_shape(coded), **_describe(coded), **positions.describe(best.index)}
    if best.values.kind == "huffman":
        out["huffman"] = best.values.size
    return out


def _describe_shape(coded: Coded) -> Entry:
    out: Entry = {"shape": list(coded.shape)}
    return out if coded.axes is None else {**out, "axes": coded.axes.as_list()}


def canonical_entry(entry: Entry) -> Entry:
    """Return the entry with the canonical shape, without axes."""
    if "axes" not in entry:
        return entry
    shape = Axes.from_list(entry["axes"]).shape(entry["shape"])
    rest = {key: value for key, value in entry.items() if key not in ("shape", "axes")}
    return {"shape": list(shape), **rest}


def _describe(coded: Single) -> Entry:
    if isinstance(coded, Uncompressed):
        return {} if coded.dtype == "f32" else {"dtype": coded.dtype}
    if isinstance(coded, Shared):
        return {"shared": [*coded.codebook.shape, int(coded.zero)]}
    out: Entry = {"bits": coded.bits, "rows": coded.rows}
    if coded.group != coded.length:
        out["group"] = coded.group
    if coded.affine:
        out["affine"] = 1
    return out


def own_entry(entry: Entry) -> Entry:
    """Return the entry of a tensor as if its stream were stored for it alone."""
    return {key: value for key, value in entry.items() if key != SAME_KEY}


def parts(entry: Entry) -> Parts:
    """Return the length of each part of the stream that `entry` describes.

    All are 0 if another tensor has the stream.
    """
    if SAME_KEY in entry:
        return Parts(0, 0, 0, 0, 0, 0, 0)
    entry = canonical_entry(entry)
    if "factors" in entry:
        u, v = map(parts, entry["factors"])
        return Parts(*map(sum, zip(astuple(u), astuple(v), strict=True)))
    count, places, table = positions.sizes(entry)
    alphabet = alphabet_of(entry)
    if not alphabet:
        return Parts(0, 0, 0, places, table, count * WIDTHS[entry.get("dtype", "f32")], 0)
    values, values_table = packed_size(count, symbol_bits(alphabet)), 0
    if "huffman" in entry:
        values, values_table = entry["huffman"], huffman.table_size(alphabet, count)
    if "shared" in entry:
        rows, clusters, _zero = entry["shared"]
        return Parts(0, 0, 4 * rows * clusters, places, table, values, values_table)
    rows = entry["rows"]
    length = prod(entry["shape"]) // rows if rows else 0
    runs = -(-length // entry.get("group", length)) if length else 0
    affine = rows * runs if entry.get("affine") else 0
    return Parts(4 * rows * runs, affine, 0, places, table, values, values_table)


def alphabet_of(entry: Entry) -> int:
    """Return the number of different symbols; 0 if values are stored unchanged."""
    if "shared" in entry:
        _rows, clusters, zero = entry["shared"]
        return int(clusters) + (0 if positions.EXACT & entry.keys() else int(zero))
    return int(2 ** entry["bits"]) if "bits" in entry else 0


def write(coded: Coded, options: StreamOptions) -> bytes:
    """Return the stream of `coded` in its smallest encoding."""
    if isinstance(coded, Factors):
        assert isinstance(options, tuple)
        return write(coded.u, options[0]) + write(coded.v, options[1])
    assert isinstance(options, EncodingOptions)
    best = options.best
    out = []
    if isinstance(coded, Shared):
        out.append(coded.codebook.astype("<f4").tobytes())
    elif isinstance(coded, Codes):
        out.append(coded.scale.astype("<f4").tobytes())
        if coded.affine:
            out.append(coded.zero_point.tobytes())
    out.append(positions.write(best.index, coded.nonzero, coded.coded_shape))
    out.append(_write_values(coded, best))
    return b"".join(out)


def _write_values(coded: Single, encoding: Encoding) -> bytes:
    if isinstance(coded, Uncompressed):
        stored = encoding.index.stored
        values = coded.bits if stored is None else take_stored(coded.bits, stored)
        return values.astype(values.dtype.newbyteorder("<")).tobytes()
    symbols, alphabet = symbols_of(coded, encoding.index)
    if encoding.values.plan is not None:
        return huffman.encode(symbols, encoding.values.plan)
    return pack(symbols, symbol_bits(alphabet))


def read(entry: Entry, stream: bytes) -> Coded:
    """Decode a stream into the coded tensor that its header entry `entry` describes.

    Raises
    ------
    ValueError
        If the stream does not match the entry.
    """
    coded = _read_canonical(canonical_entry(entry), stream)
    if "axes" not in entry:
        return coded
    return replace(coded, shape=tuple(entry["shape"]), axes=Axes.from_list(entry["axes"]))


def _read_canonical(entry: Entry, stream: bytes) -> Coded:
    if "factors" in entry:
        u, v = entry["factors"]
        end = parts(u).total
        factors = _read_single(u, stream[:end]), _read_single(v, stream[end:])
        return Factors(tuple(entry["shape"]), *factors)
    return _read_single(entry, stream)


def _read_single(entry: Entry, stream: bytes) -> Single:
    sizes = parts(entry)
    start, end = sizes.before_index, sizes.before_index + sizes.index
    stored = positions.read(entry, stream[start:end])
    alphabet = alphabet_of(entry)
    if not alphabet:
        return _read_uncompressed(entry, stream[end:], stored)
    count = positions.sizes(entry).values
    if "huffman" in entry:
        symbols = huffman.decode(stream[end:], alphabet, count)
    else:
        symbols = unpack(stream[end:], symbol_bits(alphabet), count)
    if symbols.max(initial=0) >= alphabet:
        raise ValueError("a Huffman symbol is outside its alphabet")
    reader = _read_shared if "shared" in entry else _read_codes
    return reader(entry, stream[:start], symbols, stored)


def _read_uncompressed(entry: Entry, data: bytes, stored: Flags | None) -> Uncompressed:
    dtype, total = entry.get("dtype", "f32"), prod(entry["shape"])
    kind = np.dtype(STORED_AS[WIDTHS[dtype]])
    count = positions.sizes(entry).values
    values = np.frombuffer(data, kind.newbyteorder("<"), count).astype(kind)
    if dtype == "bool" and values.max(initial=0) > 1:
        raise ValueError("a boolean is neither 0 nor 1")
    return Uncompressed(tuple(entry["shape"]), dtype, _place(values, stored, np.zeros(total, kind)))


def _read_shared(
    entry: Entry, data: bytes, symbols: NDArray[np.uint8], stored: Flags | None
) -> Shared:
    rows, clusters, zero = entry["shared"]
    codebook = np.frombuffer(data, "<f4").astype(np.float32).reshape(rows, clusters)
    if not np.isfinite(codebook).all():
        raise ValueError("a codebook value is not finite")
    skipped = np.uint8(zero and positions.EXACT & entry.keys() != set())
    codes = _place(symbols + skipped, stored, np.zeros(prod(entry["shape"]), np.uint8))
    return Shared(tuple(entry["shape"]), bool(zero), codes, codebook)


def _read_codes(
    entry: Entry, data: bytes, symbols: NDArray[np.uint8], stored: Flags | None
) -> Codes:
    bits, rows, affine = entry["bits"], entry["rows"], bool(entry.get("affine"))
    scale = np.frombuffer(data, "<f4", parts(entry).scales // 4).astype(np.float32)
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError("a scale is not a positive number")
    if affine:
        zero = np.frombuffer(data, np.uint8, scale.size, 4 * scale.size).copy()
    else:
        zero = np.full(scale.size, 2 ** (bits - 1) - 1, np.uint8)
    top = 2**bits - (1 if affine else 2)
    if max(symbols.max(initial=0), zero.max(initial=0)) > top:
        raise ValueError("a quantized value does not fit into its bits")
    shape, total = tuple(entry["shape"]), prod(entry["shape"])
    length = total // rows if rows else 0
    group = entry.get("group", length)
    empty = Codes(shape, bits, rows, group, affine, np.zeros(total, np.uint8), scale, zero)
    codes = _place(symbols, stored, empty.zero_codes())
    return Codes(shape, bits, rows, group, affine, codes, scale, zero)


def _place(values: NDArray[Any], stored: Flags | None, background: NDArray[Any]) -> NDArray[Any]:
    """Write `values` in order into `background` where `stored` is True."""
    if stored is None:
        return values
    at = 0
    for piece in pieces(stored.size):
        places = np.flatnonzero(stored[piece])
        background[piece][places] = values[at : at + places.size]
        at += places.size
    return background
