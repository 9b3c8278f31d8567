"""Header entries with their data, valid and invalid."""

from __future__ import annotations

import numpy as np

from workbench.artifact import container
from workbench.compression.codecs import huffman
from workbench.compression.codecs.packing import pack

SCALE = np.float32(0.5).tobytes()


def file(entry, data: bytes = b"", **header) -> bytes:
    """Return a file with one tensor and a valid digest."""
    default = {"model": "m", "recipe": {}, "spec": [], "tensors": {"w": entry}}
    return container.pack(default | header, data)[0]


def coded(symbols, bits: int) -> bytes:
    values = np.array(symbols, np.uint8)
    return huffman.encode(values, huffman.plan(values, 2**bits))


def packed(symbols, bits: int) -> bytes:
    return pack(np.array(symbols, np.uint8), bits)


# Valid entries and their data, so that each rejection below has one cause.
CODES = {"shape": [2, 3], "bits": 3, "rows": 1}
CODES_DATA = SCALE + packed([0, 1, 2, 4, 5, 6], 3)
AFFINE = {"shape": [2, 3], "bits": 3, "rows": 1, "affine": 1}
AFFINE_DATA = SCALE + b"\x07" + packed([0, 1, 2, 4, 5, 7], 3)
GROUPS = {"shape": [2, 3], "bits": 3, "rows": 2, "group": 2}
GROUPS_DATA = SCALE * 4 + packed([0, 1, 2, 4, 5, 6], 3)
HUFFMAN = {"shape": [2000], "bits": 3, "rows": 1}
SYMBOLS = np.tile([3, 3, 3, 1, 3, 3, 6, 3], 250)
HUFFMAN_DATA = coded(SYMBOLS, 3)
HUFFMAN["huffman"] = len(HUFFMAN_DATA)
HUFFMAN_DATA = SCALE + HUFFMAN_DATA
UNCOMPRESSED = {"shape": [4], "dtype": "u8"}
BITMAP = {"shape": [6], "dtype": "u8", "bitmap": 2}
BITMAP_DATA = bytes([0b01001000, 7, 8])
GAPS = {"shape": [9], "dtype": "u8", "gaps": [2, 3, 2]}
GAPS_DATA = packed([1, 3, 0], 2) + b"\7\10"
CODED_GAPS = {"shape": [9], "dtype": "u8", "gaps": [2, 3, 2, len(coded([1, 3, 0], 2))]}
CODED_GAPS_DATA = coded([1, 3, 0], 2) + b"\7\10"
RUNS = {"shape": [2, 5], "dtype": "u8", "runs": [4, 2]}
RUNS_DATA = packed([1, 5], 3) + bytes(range(1, 7))
BLOCKS = {"shape": [3, 5], "dtype": "u8", "blocks": [6, 2]}
BLOCKS_DATA = bytes([0b10010000]) + bytes(range(1, 7))
SHARED = {"shape": [2, 3], "shared": [1, 3, 1]}
SHARED_DATA = SCALE * 3 + packed([0, 1, 2, 3, 1, 0], 2)
SPARSE_SHARED = {"shape": [2, 4], "shared": [2, 3, 1], "bitmap": 3}
SPARSE_SHARED_DATA = SCALE * 6 + bytes([0b01100001]) + packed([2, 0, 1], 2)
FACTORS = {"shape": [2, 1, 3], "factors": [{"shape": [2, 1]}, {"shape": [1, 3], "dtype": "fp16"}]}
FACTORS_DATA = np.array([1, -2], "<f4").tobytes() + np.array([1, 2, 4], "<f2").tobytes()
BOOL = {"shape": [2], "dtype": "bool"}
PERMUTED = {"shape": [3, 2], "axes": [[1], [0], 1], "bits": 3, "rows": 1}

GOOD = {
    "codes": (CODES, CODES_DATA),
    "affine": (AFFINE, AFFINE_DATA),
    "groups": (GROUPS, GROUPS_DATA),
    "huffman": (HUFFMAN, HUFFMAN_DATA),
    "uncompressed": (UNCOMPRESSED, b"abcd"),
    "bitmap": (BITMAP, BITMAP_DATA),
    "gaps": (GAPS, GAPS_DATA),
    "coded gaps": (CODED_GAPS, CODED_GAPS_DATA),
    "runs": (RUNS, RUNS_DATA),
    "blocks": (BLOCKS, BLOCKS_DATA),
    "shared": (SHARED, SHARED_DATA),
    "sparse and shared": (SPARSE_SHARED, SPARSE_SHARED_DATA),
    "shared by all": ({"shape": [2, 3], "shared": [1, 3, 0]}, SHARED_DATA[:12] + bytes(2)),
    "factors": (FACTORS, FACTORS_DATA),
    "bool": (BOOL, b"\0\1"),
    "was bfloat16": (CODES | {"was": "bf16"}, CODES_DATA),
    "was float64": ({"shape": [2], "dtype": "fp16", "was": "f64"}, bytes(4)),
    "factors that were": (FACTORS | {"was": "fp16"}, FACTORS_DATA),
    "unsigned": ({"shape": [1], "dtype": "u64"}, bytes([1] * 8)),
    "scalar": ({"shape": []}, bytes(4)),
    "permuted": (PERMUTED, CODES_DATA),
    "permuted runs": (RUNS | {"shape": [5, 2], "axes": [[1], [0], 1]}, RUNS_DATA),
    "permuted factors": (FACTORS | {"shape": [1, 2, 3], "axes": [[1], [0], 1]}, FACTORS_DATA),
    "permuted in groups": ({"shape": [4, 1], "dtype": "u8", "axes": [[1], [0], 2]}, b"abcd"),
    "permuted and was": (PERMUTED | {"was": "bf16"}, CODES_DATA),
    "empty": ({"shape": [0, 3], "bits": 4, "rows": 0}, b""),
}

ENTRIES = {
    "not an object": ([], b""),
    "null": (None, b""),
    "no shape": ({"dtype": "u8"}, b"a"),
    "shape of another kind": ({"shape": 4}, bytes(16)),
    "negative axis": ({"shape": [-4]}, bytes(16)),
    "two negative axes": ({"shape": [-2, -2]}, bytes(16)),
    "Boolean axis": ({"shape": [True]}, bytes(4)),
    "float axis": ({"shape": [4.0]}, bytes(16)),
    "text axis": ({"shape": ["4"]}, bytes(16)),
    "too many axes": ({"shape": [1] * 17}, bytes(4)),
    "empty, but too large to represent": ({"shape": [2**47, 2**47, 0]}, b""),
    "number of a hundred digits": ({"shape": [10**100]}, b""),
    "unknown key": (UNCOMPRESSED | {"color": 1}, b"abcd"),
    "unknown dtype": (UNCOMPRESSED | {"dtype": "u7"}, b"abcd"),
    "dtype of another kind": (UNCOMPRESSED | {"dtype": []}, b"abcd"),
    "dtype of codes": (CODES | {"dtype": "f32"}, CODES_DATA),
    "rows of uncompressed values": (UNCOMPRESSED | {"rows": 1}, b"abcd"),
    "huffman of uncompressed values": (UNCOMPRESSED | {"huffman": 4}, b"abcd"),
    "bitmap and gaps": (BITMAP | {"gaps": [2, 2, 2]}, BITMAP_DATA),
    "was the stored dtype": ({"shape": [1], "was": "f32"}, bytes(4)),
    "was an integer": ({"shape": [1], "was": "i32"}, bytes(4)),
    "was unknown": ({"shape": [1], "was": "bf17"}, bytes(4)),
    "was of another kind": ({"shape": [1], "was": ["bf16"]}, bytes(4)),
    "was, in a dtype that is stored": (UNCOMPRESSED | {"was": "bf16"}, b"abcd"),
    "was float64 and is stored as such": ({"shape": [1], "dtype": "f64", "was": "f64"}, bytes(8)),
    "a factor that was": (
        FACTORS | {"factors": [{"shape": [2, 1], "was": "bf16"}, FACTORS["factors"][1]]},
        FACTORS_DATA,
    ),
    "stream too short": (UNCOMPRESSED, b"abc"),
    "stream too long": (UNCOMPRESSED, b"abcde"),
    "axes of another kind": (PERMUTED | {"axes": 1}, CODES_DATA),
    "axes without groups": (PERMUTED | {"axes": [[1], [0]]}, CODES_DATA),
    "axes that are not lists": (PERMUTED | {"axes": [1, 0, 1]}, CODES_DATA),
    "a missing axis": (PERMUTED | {"axes": [[2], [0], 1]}, CODES_DATA),
    "a negative axis": (PERMUTED | {"axes": [[-1], [0], 1]}, CODES_DATA),
    "Boolean axis number": (PERMUTED | {"axes": [[True], [0], 1]}, CODES_DATA),
    "text axis number": (PERMUTED | {"axes": [["1"], [0], 1]}, CODES_DATA),
    "an axis twice": (PERMUTED | {"axes": [[1, 1], [0], 1]}, CODES_DATA),
    "an axis that is input and output": (PERMUTED | {"axes": [[1], [1], 1]}, CODES_DATA),
    "no groups": (PERMUTED | {"axes": [[1], [0], 0]}, CODES_DATA),
    "Boolean groups": (PERMUTED | {"axes": [[1], [0], True]}, CODES_DATA),
    "groups that do not divide": (PERMUTED | {"axes": [[1], [0], 2]}, CODES_DATA),
    "groups of no inputs": (PERMUTED | {"axes": [[1, 0], [], 2]}, CODES_DATA),
    "axes of a list": ({"shape": [6], "axes": [[0], [], 1], "bits": 3, "rows": 1}, CODES_DATA),
    "axes of a factor": (
        FACTORS | {"factors": [{"shape": [2, 1], "axes": [[0], [1], 1]}, FACTORS["factors"][1]]},
        FACTORS_DATA,
    ),
    "axes without a shape": ({"axes": [[1], [0], 1], "bits": 3, "rows": 1}, CODES_DATA),
    "permuted to too many axes": (
        {"shape": [1] * 16, "axes": [[], [], 1], "dtype": "u8"},
        b"a",
    ),
    "1 bit": (CODES | {"bits": 1}, SCALE + b"\0"),
    "9 bits": (CODES | {"bits": 9}, SCALE + bytes(7)),
    "Boolean bits": (CODES | {"bits": True}, SCALE + b"\0"),
    "float bits": (CODES | {"bits": 3.0}, CODES_DATA),
    "no rows": ({"shape": [6], "bits": 3}, CODES_DATA),
    "zero rows": (CODES | {"rows": 0}, CODES_DATA),
    "negative rows": (CODES | {"rows": -1}, CODES_DATA),
    "rows that do not divide": (CODES | {"rows": 4}, SCALE * 3 + CODES_DATA),
    "rows of nothing": ({"shape": [0], "bits": 3, "rows": 1}, b""),
    "too many rows": ({"shape": [0], "bits": 3, "rows": 2**47}, b""),
    "empty group": (CODES | {"group": 0}, CODES_DATA),
    "group longer than a row": (CODES | {"group": 7}, CODES_DATA),
    "affine 0": (CODES | {"affine": 0}, CODES_DATA),
    "affine true": (AFFINE | {"affine": True}, AFFINE_DATA),
    "affine 1.0": (AFFINE | {"affine": 1.0}, AFFINE_DATA),
    "NaN scale": (CODES, np.float32("nan").tobytes() + CODES_DATA[4:]),
    "infinite scale": (CODES, np.float32("inf").tobytes() + CODES_DATA[4:]),
    "zero scale": (CODES, bytes(4) + CODES_DATA[4:]),
    "negative scale": (CODES, np.float32(-1).tobytes() + CODES_DATA[4:]),
    "zero point above the top": (AFFINE, SCALE + b"\x08" + AFFINE_DATA[5:]),
    "code above the top": (CODES, SCALE + packed([0, 1, 2, 4, 5, 7], 3)),
    "Boolean 2": (BOOL, b"\1\2"),
    "bitmap of another kind": (BITMAP | {"bitmap": [2]}, BITMAP_DATA),
    "bitmap true": (BITMAP | {"bitmap": True}, BITMAP_DATA[:2]),
    "bitmap above all": (BITMAP | {"bitmap": 7}, bytes(8)),
    "bitmap claims more": (BITMAP | {"bitmap": 3}, BITMAP_DATA + b"\1"),
    "bitmap claims less": (BITMAP | {"bitmap": 1}, BITMAP_DATA[:2]),
    "gaps of another kind": (GAPS | {"gaps": {}}, GAPS_DATA),
    "too few gap numbers": (GAPS | {"gaps": [2, 3]}, GAPS_DATA),
    "too many gap numbers": (GAPS | {"gaps": [2, 3, 2, 1, 1]}, GAPS_DATA),
    "negative gap numbers": (GAPS | {"gaps": [-2, 3, 2]}, GAPS_DATA),
    "gap width 1": (GAPS | {"gaps": [2, 3, 1]}, GAPS_DATA),
    "gap width 9": (GAPS | {"gaps": [2, 3, 9]}, bytes(6)),
    "more values than gaps": (GAPS | {"gaps": [4, 3, 2]}, GAPS_DATA + b"\1\1"),
    "more values than places": (
        {"shape": [1], "dtype": "u8", "gaps": [2, 2, 2]},
        packed([0, 0], 2) + b"\1\2",
    ),
    "more escapes than places": (GAPS | {"gaps": [1, 6, 2]}, packed([3] * 5 + [0], 2) + b"\1"),
    "values that escape": (GAPS, packed([1, 3, 3], 2) + b"\7\10"),
    "escapes that are values": (GAPS, packed([1, 1, 0], 2) + b"\7\10"),
    "gaps beyond the end": (GAPS | {"shape": [8]}, packed([2, 3, 2], 2) + b"\7\10"),
    "gaps in no bytes": (GAPS | {"gaps": [2, 3, 2, 0]}, b"\7\10"),
    "gaps in few bytes": (CODED_GAPS | {"gaps": [2, 3, 2, 3]}, coded([1, 3, 0], 2)[:3] + b"\7\10"),
    "gaps without a code": (CODED_GAPS, bytes(2) + CODED_GAPS_DATA[2:]),
    "runs of another kind": (RUNS | {"runs": 4}, RUNS_DATA),
    "too few run numbers": (RUNS | {"runs": [4]}, RUNS_DATA),
    "too many run numbers": (RUNS | {"runs": [4, 2, 1, 1]}, RUNS_DATA),
    "runs that keep all": (RUNS | {"runs": [4, 4]}, RUNS_DATA),
    "runs that keep none": (RUNS | {"runs": [4, 0]}, RUNS_DATA),
    "runs too wide": (RUNS | {"runs": [65, 1]}, RUNS_DATA),
    "more patterns than symbols": (RUNS | {"runs": [64, 32]}, RUNS_DATA),
    "runs of a list": ({"shape": [10], "dtype": "u8", "runs": [4, 2]}, RUNS_DATA),
    "runs of nothing": ({"shape": [0, 5], "dtype": "u8", "runs": [4, 2]}, b""),
    "a run of no pattern": (RUNS, packed([1, 6], 3) + RUNS_DATA[1:]),
    "runs and gaps": (RUNS | {"gaps": [2, 2, 2]}, RUNS_DATA),
    "runs in no bytes": (RUNS | {"runs": [4, 2, 0]}, RUNS_DATA[1:]),
    "blocks of another kind": (BLOCKS | {"blocks": "all"}, BLOCKS_DATA),
    "blocks true": (BLOCKS | {"blocks": [6, True]}, BLOCKS_DATA),
    "blocks of one": (BLOCKS | {"blocks": [6, 1]}, BLOCKS_DATA),
    "blocks claim more": (BLOCKS | {"blocks": [7, 2]}, BLOCKS_DATA + b"\1"),
    "blocks claim less": (BLOCKS | {"blocks": [5, 2]}, BLOCKS_DATA[:-1]),
    "shared of another kind": (SHARED | {"shared": 3}, SHARED_DATA),
    "too few shared numbers": (SHARED | {"shared": [1, 3]}, SHARED_DATA),
    "shared and codes": (SHARED | {"bits": 2, "rows": 1}, SHARED_DATA),
    "shared and dtype": (SHARED | {"dtype": "f32"}, SHARED_DATA),
    "zero shared twice": (SHARED | {"shared": [1, 2, 2]}, SHARED_DATA[4:]),
    "nothing shared": (SHARED | {"shared": [1, 0, 1]}, packed([0] * 6, 1)),
    "shared by no row": (SHARED | {"shared": [0, 3, 1]}, packed([0] * 6, 2)),
    "shared by rows that do not divide": (SHARED | {"shared": [4, 3, 1]}, SCALE * 9 + SHARED_DATA),
    "more shared than a byte": (SHARED | {"shared": [1, 256, 1]}, SCALE * 256 + bytes(7)),
    "positions without a zero": (SPARSE_SHARED | {"shared": [2, 3, 0]}, SPARSE_SHARED_DATA),
    "a number beyond the codebook": (SHARED | {"shared": [1, 2, 1]}, SHARED_DATA[4:]),
    "sparse number beyond": (SPARSE_SHARED, SPARSE_SHARED_DATA[:-1] + packed([3, 0, 1], 2)),
    "NaN shared": (SHARED, np.float32("nan").tobytes() + SHARED_DATA[4:]),
    "factors of another kind": (FACTORS | {"factors": 2}, FACTORS_DATA),
    "one factor": (FACTORS | {"factors": [{"shape": [2, 1]}]}, FACTORS_DATA[:8]),
    "a factor that is not an entry": (FACTORS | {"factors": [1, 2]}, FACTORS_DATA),
    "factors of factors": (FACTORS | {"factors": [FACTORS, {"shape": [1, 3]}]}, FACTORS_DATA),
    "factors and bits": (FACTORS | {"bits": 4, "rows": 1}, FACTORS_DATA),
    "factors of different ranks": (
        FACTORS | {"factors": [{"shape": [2, 1]}, {"shape": [2, 3], "dtype": "u8"}]},
        FACTORS_DATA,
    ),
    "factors of another shape": (FACTORS | {"shape": [2, 4]}, FACTORS_DATA),
    "factors of no rank": (FACTORS | {"factors": [{"shape": [2, 0]}, {"shape": [0, 3]}]}, b""),
    "integer factors": (
        {"shape": [2, 3], "factors": [{"shape": [2, 1], "dtype": "u8"}, {"shape": [1, 3]}]},
        bytes(14),
    ),
    "huffman in no bytes": (HUFFMAN | {"huffman": 0}, SCALE),
    "huffman true": (HUFFMAN | {"huffman": True}, HUFFMAN_DATA),
    "huffman negative": (HUFFMAN | {"huffman": -1}, HUFFMAN_DATA),
    "huffman cut": (HUFFMAN | {"huffman": HUFFMAN["huffman"] - 1}, HUFFMAN_DATA[:-1]),
    "huffman code above the top": (
        HUFFMAN | {"shape": [8], "huffman": len(coded([7, 3] * 4, 3))},
        SCALE + coded([7, 3] * 4, 3),
    ),
    "incomplete code": (HUFFMAN, SCALE + b"\x03\x33\0\0" + HUFFMAN_DATA[8:]),
    "overfull code": (HUFFMAN, SCALE + b"\x11\x11\x11\x11" + HUFFMAN_DATA[8:]),
    "blocks overlap": (HUFFMAN, HUFFMAN_DATA[:8] + b"\xff\xff" + HUFFMAN_DATA[10:]),
    "empty blocks": (HUFFMAN, HUFFMAN_DATA[:8] + bytes(4) + HUFFMAN_DATA[12:]),
}

PREPROCESSING = {
    "version": 1,
    "kind": "table",
    "origin": {"name": "a.csv", "digest": "0" * 64},
    "classes": ["no", "yes"],
    "network": [["linear", 3, 2, 1]],
    "data": {"columns": [{"name": "x", "mean": 0.5}]},
}


def nested(depth):
    """Return a list in lists."""
    return [nested(depth - 1)] if depth else []


def without(key):
    """Return the preprocessing without a key."""
    return {name: value for name, value in PREPROCESSING.items() if name != key}


# changes of the preprocessing; what is refused when the file is opened
DAMAGED_PREPROCESSING = {
    "null": None,
    "a list": [],
    "empty": {},
    "version of another kind": PREPROCESSING | {"version": "1"},
    "later version": PREPROCESSING | {"version": 2},
    "unknown kind": PREPROCESSING | {"kind": "sound"},
    "kind in a list": PREPROCESSING | {"kind": ["table"]},
    "unknown key": PREPROCESSING | {"code": "print()"},
    "other order": dict(reversed(PREPROCESSING.items())),
    "no data": without("data"),
    "data in a list": PREPROCESSING | {"data": []},
    "network of another kind": PREPROCESSING | {"network": {}},
    "one class": PREPROCESSING | {"classes": ["no"]},
    "a class twice": PREPROCESSING | {"classes": ["no", "no"]},
    "class numbers": PREPROCESSING | {"classes": [0, 1]},
    "nested classes": PREPROCESSING | {"classes": [["no"], ["yes"]]},
    "no origin": without("origin"),
    "short digest": PREPROCESSING | {"origin": {"name": "a.csv", "digest": "0" * 63}},
    "digest of other letters": PREPROCESSING | {"origin": {"name": "a.csv", "digest": "g" * 64}},
    "origin with more": PREPROCESSING | {"origin": {**PREPROCESSING["origin"], "path": "/home"}},
    "long name": PREPROCESSING | {"origin": {"name": "a" * 201, "digest": "0" * 64}},
    "NaN scale": PREPROCESSING | {"data": {"scale": float("nan")}},
    "infinite scale": PREPROCESSING | {"data": {"scale": float("inf")}},
    "enormous number": PREPROCESSING | {"data": {"size": 10**1000}},
    "huge vocabulary": PREPROCESSING | {"data": {"words": ["word" * 20] * 120_000}},
    "one long word": PREPROCESSING | {"data": {"words": ["a" * (2**23)]}},
    "nested too deep": PREPROCESSING | {"data": {"words": nested(12)}},
    "nested deeper": PREPROCESSING | {"data": {"words": nested(400)}},
}

HEADERS = {
    "no tensors": ({"tensors": None}, "no_tensors"),
    "tensors in a list": ({"tensors": [CODES]}, "no_tensors"),
    "no model": ({"model": None}, "no_model_or_recipe"),
    "no recipe": ({"recipe": None}, "no_model_or_recipe"),
    "recipe of another kind": ({"recipe": []}, "no_model_or_recipe"),
    "invalid recipe": ({"recipe": {"prune": {"sparsity": 2}}}, "unknown_recipe"),
    "recipe of a later version": ({"recipe": {"distill": {}}}, "unknown_recipe"),
    "NaN in the recipe": ({"recipe": {"prune": {"sparsity": float("nan")}}}, "unknown_recipe"),
    "enormous number in the recipe": (
        {"recipe": {"prune": {"sparsity": 10**1000}}},
        "unknown_recipe",
    ),
    "unknown rewrite": ({"spec": ["fold_norms"]}, "unknown_rewrite"),
    "rewrites of another kind": ({"spec": False}, "no_module_spec"),
    "unknown key": ({"code": "print()"}, "unknown_header_keys"),
}
