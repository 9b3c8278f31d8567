"""Dense b-bit packing: symbol after symbol, most significant bit first."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from workbench.compression.pieces import in_pieces

Symbols = NDArray[np.uint8]

HALVES = ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0x00000000FFFFFFFF))
"""The widths of lanes in a 64-bit word, and the mask of the lower lane of each pair."""


def packed_size(count: int, bits: int) -> int:
    """Return the bytes that `count` symbols of `bits` bits take."""
    return (count * bits + 7) // 8


def symbol_bits(alphabet: int) -> int:
    """Return the bits needed for `alphabet` different symbols, at least one."""
    return max(1, (alphabet - 1).bit_length())


def join_eights(symbols: Symbols, bits: int) -> NDArray[np.uint64]:
    """Join each eight symbols of `bits` bits to one number, the first in the high bits.

    The last eight are padded with zeros.
    """
    if symbols.size % 8:
        symbols = np.concatenate([symbols, np.zeros(-symbols.size % 8, np.uint8)])
    words = symbols.view(np.uint64)
    words = words.byteswap() if sys.byteorder == "little" else words
    if bits < 8:
        for width, low in HALVES:  # join neighbors: bytes, then pairs, then fours
            gap = np.uint64(bits * width // 8)
            words = ((words >> np.uint64(width) & np.uint64(low)) << gap) | words & np.uint64(low)
    return words


def pack(symbols: Symbols, bits: int) -> bytes:
    """Pack `symbols` (uint8, below 2^bits, bits from 1 to 8), zero-padded to a byte."""
    if bits == 8:
        return symbols.tobytes()

    def pack_piece(piece: slice) -> bytes:
        lanes = join_eights(symbols[piece], bits).astype(">u8").view(np.uint8).reshape(-1, 8)
        return lanes[:, 8 - bits :].tobytes()  # eight symbols are exactly `bits` bytes

    return b"".join(in_pieces(pack_piece, symbols.size))[: packed_size(symbols.size, bits)]


def unpack(data: bytes, bits: int, count: int) -> Symbols:
    """Return the `count` symbols of `bits` bits in `data`, uint8."""
    if bits == 8:
        return np.frombuffer(data, np.uint8, count).copy()
    out = np.zeros(-(-count // 8) * 8, np.uint8)
    shifts = np.arange(7, -1, -1, dtype=np.uint64) * np.uint64(bits)

    def fill(piece: slice) -> None:
        first, last = piece.start // 8 * bits, packed_size(piece.stop, bits)
        raw = np.zeros(-(-(piece.stop - piece.start) // 8) * bits, np.uint8)
        raw[: last - first] = np.frombuffer(data, np.uint8, last - first, first)
        lanes = np.zeros((raw.size // bits, 8), np.uint8)
        lanes[:, 8 - bits :] = raw.reshape(-1, bits)
        words = lanes.reshape(-1).view(">u8").astype(np.uint64)
        symbols = (words[:, None] >> shifts) & np.uint64(2**bits - 1)
        out[piece.start : piece.start + symbols.size] = symbols.astype(np.uint8).reshape(-1)

    for _ in in_pieces(fill, count):
        pass
    return out[:count]
