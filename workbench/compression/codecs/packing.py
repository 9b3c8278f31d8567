"""Dense b-bit packing: symbol after symbol, most significant bit first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Symbols = NDArray[np.uint8]


def packed_size(count: int, bits: int) -> int:
    """Return the bytes that `count` symbols of `bits` bits take."""
    return (count * bits + 7) // 8


def symbol_bits(alphabet: int) -> int:
    """Return the bits that tell `alphabet` symbols apart, at least one."""
    return max(1, (alphabet - 1).bit_length())


def pack(symbols: Symbols, bits: int) -> bytes:
    """Return `symbols` (uint8, below 2^bits, bits from 1 to 8) side by side, zero-padded."""
    if bits == 8:
        return symbols.tobytes()
    padded = np.zeros(-(-symbols.size // 8) * 8, np.uint64)
    padded[: symbols.size] = symbols
    words = np.zeros(padded.size // 8, np.uint64)
    for column in padded.reshape(-1, 8).T:  # eight symbols are exactly `bits` bytes
        words = (words << np.uint64(bits)) | column
    lanes = words.astype(">u8").view(np.uint8).reshape(-1, 8)
    return lanes[:, 8 - bits :].tobytes()[: packed_size(symbols.size, bits)]


def unpack(data: bytes, bits: int, count: int) -> Symbols:
    """Return the `count` symbols of `bits` bits in `data`, uint8."""
    if bits == 8:
        return np.frombuffer(data, np.uint8, count).copy()
    blocks = -(-count // 8)
    raw = np.zeros(blocks * bits, np.uint8)
    raw[: len(data)] = np.frombuffer(data, np.uint8)
    lanes = np.zeros((blocks, 8), np.uint8)
    lanes[:, 8 - bits :] = raw.reshape(blocks, bits)
    words = lanes.reshape(-1).view(">u8").astype(np.uint64)
    shifts = np.arange(7, -1, -1, dtype=np.uint64) * np.uint64(bits)
    symbols = (words[:, None] >> shifts) & np.uint64(2**bits - 1)
    return symbols.astype(np.uint8).reshape(-1)[:count]
