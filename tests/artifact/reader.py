"""A reader of the format `workbench/2`, written from docs/format.md with NumPy and json alone.

It trusts its input: it skips the digest and the checks that the page lists.
"""

import json
from itertools import combinations

import numpy as np

OTHER_DTYPES = {"bf16": "<u2", "fp16": "<f2", "bool": "?", "f8e4m3": "u1", "f8e5m2": "u1"}
# the rest: f32 is <f4, c64 is <c8


def read(blob):
    """Return the tensors in the file `blob` (bytes) by name, and its header."""
    start = 8 + int.from_bytes(blob[:8], "little")
    size = json.loads(blob[8:start])["header"]["shape"][0]
    header = json.loads(blob[start : start + size])
    stream = Stream(blob[start + size :])
    tensors = {}
    for name, entry in header["tensors"].items():
        tensors[name] = tensors[entry["same"]] if "same" in entry else tensor(entry, stream)
    return tensors, header


class Stream:
    """The data, read from start to end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, dtype, count):
        dtype, at = np.dtype(dtype), self.at
        self.at += count * dtype.itemsize
        return np.frombuffer(self.data, dtype, count, at)

    def packed(self, count, bits):
        flags = np.unpackbits(self.take("u1", -(-count * bits // 8)), count=count * bits)
        powers = 1 << np.arange(bits - 1, -1, -1)
        return flags.reshape(count, bits) @ powers

    def huffman(self, count, alphabet, size):
        end, blocks = self.at + size, -(-count // 1024)
        lengths = self.packed(alphabet, 4)
        ends = np.cumsum(self.take("<u2", blocks).astype(int))
        coded = np.append(self.take("u1", end - self.at), [0, 0]).astype(int)
        words = (coded[:-2] << 16) | (coded[1:-1] << 8) | coded[2:]  # 24 bits starting at each byte
        meaning, width = np.zeros((2, 2**15), int)
        low = 0  # the next code word, with zeros appended to 15 bits
        for symbol in sorted(range(alphabet), key=lambda s: (lengths[s], s)):
            if lengths[symbol]:
                high = low + (1 << (15 - lengths[symbol]))
                meaning[low:high], width[low:high] = symbol, lengths[symbol]
                low = high
        out = np.zeros((1024, blocks), int)
        at = np.append(0, ends[:-1])[:blocks]
        for step in range(min(1024, count)):  # all blocks in parallel
            at = at[: -(-(count - step) // 1024)]
            word = words[at >> 3] >> (9 - (at & 7)) & 0x7FFF
            out[step, : at.size] = meaning[word]
            at = at + width[word]
        return out.T.ravel()[:count]


def biases(tensors, header, blob):
    """Return the whole numbers of each bias that the module spec rounds, and their unit."""
    changes = {change[0]: change[2] for change in header["spec"] if len(change) == 3}
    scales = row_scales(blob, header)
    rounded = {}
    for layer in changes.get("round_biases", []):
        unit = scales[f"{layer}.weight"].astype(float) * changes["quantize_inputs"][layer][1]
        whole = np.rint(tensors[f"{layer}.bias"].astype(float) / unit)
        rounded[layer] = whole.clip(-(2**31) + 1, 2**31 - 1), unit
    return rounded


def row_scales(blob, header):
    """Return the scales of each tensor of codes with one scale per row."""
    start = 8 + int.from_bytes(blob[:8], "little")
    size = json.loads(blob[8:start])["header"]["shape"][0]
    stream, scales = Stream(blob[start + size :]), {}
    for name, entry in header["tensors"].items():
        at = stream.at
        if "same" not in entry:
            tensor(entry, stream)
        if entry.get("bits") and "group" not in entry and "axes" not in entry:
            scales[name] = np.frombuffer(stream.data, "<f4", entry["rows"], at)
    return scales


def shared_values(entry, stream):
    """Return the shared values of each row, and the index of each position's value."""
    rows, clusters, zero = entry["shared"]
    book = np.zeros((rows, zero + clusters), "<f4")
    book[:, zero:] = stream.take("<f4", rows * clusters).reshape(rows, clusters)
    where = stored_positions(entry, stream)
    skipped = zero if {"bitmap", "gaps"} & set(entry) else 0
    alphabet = zero + clusters - skipped
    if "huffman" in entry:
        symbols = stream.huffman(where.size, alphabet, entry["huffman"])
    else:
        symbols = stream.packed(where.size, max(1, (alphabet - 1).bit_length()))
    codes = np.zeros(int(np.prod(entry["shape"], dtype=np.int64)), int)
    codes[where] = symbols + skipped
    return book, codes


def stored_positions(entry, stream):
    """Return the positions that hold a value."""
    shape = entry["shape"]
    n = int(np.prod(shape, dtype=np.int64))
    if "bitmap" in entry:
        return np.flatnonzero(stream.packed(n, 1))
    if "gaps" in entry:
        _, symbols, width, *size = entry["gaps"]
        steps = stream.huffman(symbols, 2**width, *size) if size else stream.packed(symbols, width)
        stored = steps < 2**width - 1
        return (np.cumsum(steps + stored) - 1)[stored]
    if "runs" in entry:
        return places_in_order(shape, runs_stored(entry, stream))
    if "blocks" in entry:
        return places_in_order(shape, blocks_stored(entry, stream))
    return np.arange(n)


def runs_stored(entry, stream):
    """Return which entries of the matrix are stored."""
    width, nonzero, *size = entry["runs"]
    rows, columns = entry["shape"][0], int(np.prod(entry["shape"][1:]))
    patterns = list(combinations(range(width), nonzero))
    count, bits = rows * (columns // width), max(1, (len(patterns) - 1).bit_length())
    symbols = stream.huffman(count, len(patterns), *size) if size else stream.packed(count, bits)
    stored = np.ones((rows, columns), bool)
    for number, symbol in enumerate(symbols):
        row, run = divmod(number, columns // width)
        for place in set(range(width)) - set(patterns[symbol]):
            stored[row, run * width + place] = False
    return stored


def blocks_stored(entry, stream):
    """Return which entries of the matrix are stored."""
    _, width = entry["blocks"]
    rows, columns = entry["shape"][0], int(np.prod(entry["shape"][1:]))
    across = -(-columns // width)
    flags = stream.packed(-(-rows // width) * across, 1).reshape(-1, across)
    row, column = np.indices((rows, columns)) // width
    return flags[row, column] == 1


def places_in_order(shape, stored):
    """Return the positions of the stored matrix entries, in ascending order."""
    positions = np.arange(np.prod(shape)).reshape(shape)
    return np.sort(np.moveaxis(positions, 1, -1).reshape(shape[0], -1)[stored])


def permuted(shape, outputs, inputs, groups):
    """Return the position of every value in the order in which it is coded."""
    others = [axis for axis in range(len(shape)) if axis not in outputs + inputs]
    parts = np.split(np.arange(np.prod(shape)).reshape(shape), groups, (*inputs, 0)[0])
    parts = [part.transpose(outputs + inputs + others) for part in parts]
    cut = len(outputs), len(outputs + inputs)
    sizes = [np.prod(axes, dtype=int) for axes in np.split(parts[0].shape, cut)[:2]]
    return np.concatenate([part.reshape(*sizes, *part.shape[cut[1] :]) for part in parts])


def tensor(entry, stream):
    """Return one tensor from the parts that `entry` describes."""
    if "axes" not in entry:
        return as_coded(entry, stream)
    places = permuted(entry["shape"], *entry["axes"])
    values = as_coded({**entry, "shape": list(places.shape)}, stream)
    return values.ravel()[np.argsort(places, None)].reshape(entry["shape"])


def as_coded(entry, stream):
    """Return one tensor in the shape in which it is coded."""
    if "factors" in entry:
        left, right = (tensor(factor, stream) for factor in entry["factors"])
        out = np.zeros((len(left), right.shape[1]), "<f4")
        for column, row in zip(left.T, right, strict=True):
            out += np.multiply.outer(column, row)
        return out.reshape(entry["shape"])
    shape, bits, kind = entry["shape"], entry.get("bits"), entry.get("dtype", "f32")
    n = int(np.prod(shape, dtype=np.int64))
    if bits:
        rows = entry["rows"]
        length = n // max(rows, 1)
        group = entry.get("group", length)
        runs = -(-length // max(group, 1))
        column = np.arange(length) // max(group, 1)
        run = (np.arange(rows)[:, None] * runs + column).ravel()  # of every position
        scale = stream.take("<f4", rows * runs)[run]
        middle = np.full(rows * runs, 2 ** (bits - 1) - 1)
        zero = (stream.take("u1", rows * runs) if "affine" in entry else middle)[run]
        values = zero.astype("u1")
    elif "shared" in entry:
        book, codes = shared_values(entry, stream)
        return np.take_along_axis(book, codes.reshape(len(book), -1), axis=1).reshape(shape)
    else:
        values = np.zeros(n, OTHER_DTYPES.get(kind) or f"<{kind[0]}{int(kind[1:]) // 8}")
    where = stored_positions(entry, stream)
    if "huffman" in entry:
        values[where] = stream.huffman(where.size, 2**bits, entry["huffman"])
    elif bits:
        values[where] = stream.packed(where.size, bits)
    else:
        values[where] = stream.take(values.dtype, where.size)
    if bits:
        values = (values.astype("<f4") - zero.astype("<f4")) * scale
    elif kind == "bf16":
        values = (values.astype("<u4") << 16).view("<f4")
    elif kind == "fp16":
        values = values.astype("<f4")
    return values.reshape(shape)
