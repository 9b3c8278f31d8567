"""Validation of the file's header, before anything is allocated."""

from __future__ import annotations

from collections.abc import Mapping
from math import comb, prod
from typing import Any

from workbench.artifact.module_spec import ModuleSpec
from workbench.artifact.original_dtype import is_valid_original_dtype
from workbench.artifact.preprocessing import PREPROCESSING_KEY, check_preprocessing
from workbench.artifact.repeated import is_valid_repetition
from workbench.artifact.unstored import UNSTORED_KEY, check_fingerprints
from workbench.compression.axes import Axes
from workbench.compression.checks import MAX_AXES
from workbench.compression.codecs.runs import MAX_PATTERNS
from workbench.compression.codecs.stream import SAME_KEY, Entry, canonical_entry, own_entry, parts
from workbench.compression.coded import WIDTHS
from workbench.errors import ArtifactError

INDEX_KEYS = ("bitmap", "gaps", "runs", "blocks")
COMMON_KEYS = ("shape", *INDEX_KEYS)
HEADER_KEYS = ("model", "recipe", "spec", "tensors", "sha256")
METADATA_KEY = "metadata"
"""An optional key before `tensors`: the metadata of a tensor file."""
OPTIONAL_KEYS = (METADATA_KEY, PREPROCESSING_KEY, UNSTORED_KEY)
"""Keys that may stand before `tensors`, in this order."""
MAX_DECODED_BYTES = 2**30
"""Bytes of decoded weights that a file may claim unless its reader allows more."""

MAX_SHARED = 256
"""Values that the weights of a tensor may share, including zero: an index takes one byte."""
FLOATS = ("f32", "bf16", "fp16")
COUNT_LIMIT = 2**48
"""Every count in a file is below this."""


def check(header: dict[str, Any], data_size: int, max_bytes: int = MAX_DECODED_BYTES) -> None:
    """Raise `ArtifactError` unless the header is valid and unpacks to at most `max_bytes` bytes."""
    check_entries(header)
    if sum(map(decoded_size, header["tensors"].values())) > max_bytes:
        raise ArtifactError(
            f"The file unpacks to more than {max_bytes:,} bytes: pass a larger max_bytes if you "
            "trust it.",
            code="artifact.decoded_too_large",
        )
    check_lengths(header, data_size)


def decoded_size(entry: Entry) -> int:
    """Return the bytes that decoding a tensor takes, including its factors."""
    return sum(
        max(4, WIDTHS[tensor.get("dtype", "f32")]) * prod(tensor["shape"])
        for tensor in (entry, *entry.get("factors", ()))
    )


def check_entries(header: dict[str, Any]) -> None:
    """Raise `ArtifactError` unless the header has the known keys and every entry is valid."""
    tensors = header.get("tensors")
    if not isinstance(tensors, dict):
        raise ArtifactError(
            "The file lists no tensors: it is damaged or of another kind.",
            code="artifact.no_tensors",
        )
    if not isinstance(header.get("model"), str) or not isinstance(header.get("recipe"), dict):
        raise ArtifactError(
            "The file does not name its model and recipe: it is damaged.",
            code="artifact.no_model_or_recipe",
        )
    if tuple(header) != _expected_keys(header) or not _is_metadata(header):
        raise ArtifactError(
            "The file's header has keys that this version does not know: upgrade Workbench.",
            code="artifact.unknown_header_keys",
        )
    if PREPROCESSING_KEY in header:
        check_preprocessing(header[PREPROCESSING_KEY])
    if UNSTORED_KEY in header:
        check_fingerprints(header[UNSTORED_KEY])
    for path, _qparams in ModuleSpec.from_list(header["spec"]).inputs:
        if f"{path}.weight" not in tensors:
            raise ArtifactError(
                f"The file quantizes the inputs of {path!r} but does not hold that layer.",
                code="artifact.unknown_layer",
            )
    for name, entry in tensors.items():
        if not isinstance(entry, dict) or not _is_valid(own_entry(entry)):
            raise ArtifactError(
                f"The file's entry for {name!r} is invalid.", code="artifact.invalid_entry"
            )
    _check_repeated(tensors)


def _check_repeated(tensors: Mapping[str, Entry]) -> None:
    """Raise `ArtifactError` unless each entry that names another tensor names an earlier one."""
    order = {name: place for place, name in enumerate(tensors)}
    for name in (name for name, entry in tensors.items() if SAME_KEY in entry):
        if not is_valid_repetition(name, tensors) or order[tensors[name][SAME_KEY]] > order[name]:
            raise ArtifactError(
                f"The file's entry for {name!r} is invalid.", code="artifact.invalid_entry"
            )


def _expected_keys(header: dict[str, Any]) -> tuple[str, ...]:
    """Return the keys of a header in order, with those of `OPTIONAL_KEYS` that it has."""
    at = HEADER_KEYS.index("tensors")
    optional = (key for key in OPTIONAL_KEYS if key in header)
    return (*HEADER_KEYS[:at], *optional, *HEADER_KEYS[at:])


def _is_metadata(header: dict[str, Any]) -> bool:
    """Whether the metadata are texts by name, or absent."""
    content = header.get(METADATA_KEY, {})
    return isinstance(content, dict) and all(isinstance(v, str) for v in content.values())


def check_lengths(header: dict[str, Any], data_size: int) -> None:
    """Raise `ArtifactError` unless the streams of a valid header fill the data."""
    if sum(parts(entry).total for entry in header["tensors"].values()) != data_size:
        raise ArtifactError(
            "The file's streams do not add up to its length: it is damaged.",
            code="artifact.wrong_stream_lengths",
        )


def _is_valid(entry: Entry) -> bool:
    coded = {key: value for key, value in entry.items() if key not in ("was", "raw")}
    if "raw" in entry and not _is_raw(entry):
        return False
    if "axes" in coded:
        if not _is_shape(coded) or not _are_axes(coded["axes"], coded["shape"]):
            return False
        coded = canonical_entry(coded)
    return _is_coded(coded) and is_valid_original_dtype(entry)


def _is_shape(entry: Entry) -> bool:
    shape = entry.get("shape")
    if not isinstance(shape, list) or len(shape) > MAX_AXES or not all(map(_is_count, shape)):
        return False
    # [2**40, 2**40, 0] is empty, yet overflows libraries
    return bool(prod(n for n in shape if n) < COUNT_LIMIT)


def _is_raw(entry: Entry) -> bool:
    """Whether `entry` holds the bytes of a tensor whose dtype only its file knows."""
    match entry["raw"]:
        case [str(dtype), list(shape)]:
            bytes_only = entry.get("dtype") == "u8" and len(entry.get("shape", ())) == 1
            return bytes_only and dtype.isascii() and _is_shape({"shape": shape})
    return False


def _are_axes(axes: Any, shape: list[int]) -> bool:
    """Whether `axes` can permute a tensor of `shape`."""
    match axes:
        case [list() as outputs, list() as inputs, groups] if _is_count(groups):
            return all(map(_is_count, [*outputs, *inputs])) and Axes.from_list(axes).matches(shape)
    return False


def _is_coded(entry: Entry) -> bool:
    if not _is_shape(entry):
        return False
    total = prod(entry["shape"])
    if "factors" in entry:
        return _are_factors(entry)
    if sum(key in entry for key in INDEX_KEYS) > 1 or ("bits" in entry and "shared" in entry):
        return False
    has_valid_values = _has_uncompressed
    if "bits" in entry:
        has_valid_values = _has_codes
    elif "shared" in entry:
        has_valid_values = _has_shared
    return _has_index(entry, total) and has_valid_values(entry, total)


def _are_factors(entry: Entry) -> bool:
    factors = entry["factors"]
    if set(entry) != {"shape", "factors"} or not isinstance(factors, list) or len(factors) != 2:
        return False
    if not all(isinstance(factor, dict) and "factors" not in factor for factor in factors):
        return False
    if not all(map(_is_coded, factors)):
        return False
    shape = entry["shape"]
    u, v = (factor["shape"] for factor in factors)
    fits = len(shape) >= 2 and len(u) == len(v) == 2 and u[1] == v[0] >= 1
    floats = all(factor.get("dtype", "f32") in FLOATS for factor in factors)
    return fits and floats and u[0] == shape[0] and v[1] == prod(shape[1:])


def _has_uncompressed(entry: Entry, total: int) -> bool:
    dtype = entry.get("dtype", "f32")
    return isinstance(dtype, str) and dtype in WIDTHS and set(entry) <= {"dtype", *COMMON_KEYS}


def _has_codes(entry: Entry, total: int) -> bool:
    bits, rows = entry["bits"], entry.get("rows")
    known = set(entry) <= {"bits", "rows", "group", "affine", "huffman", *COMMON_KEYS}
    if not (known and _is_count(bits) and 2 <= bits <= 8 and _is_count(rows)):
        return False
    if (rows == 0) != (total == 0) or (rows and total % rows):
        return False
    length = total // rows if rows else 0
    group = entry.get("group", length)
    affine = entry.get("affine", 1)
    fits = _is_count(group) and (0 < group <= length or group == length)
    return fits and _is_count(affine) and affine == 1 and _is_count(entry.get("huffman", 0))


def _has_shared(entry: Entry, total: int) -> bool:
    shared = entry["shared"]
    known = set(entry) <= {"shared", "huffman", *COMMON_KEYS}
    if not known or not isinstance(shared, list) or len(shared) != 3:
        return False
    if not all(map(_is_count, shared)):
        return False
    rows, clusters, zero = shared
    has_zero = zero == 1 or (zero == 0 and not entry.keys() & set(INDEX_KEYS))
    fits = rows >= 1 and total % rows == 0 and 1 <= clusters <= MAX_SHARED - zero
    return has_zero and fits and _is_count(entry.get("huffman", 0))


def _has_index(entry: Entry, total: int) -> bool:
    if "bitmap" in entry:
        return _is_count(entry["bitmap"]) and bool(entry["bitmap"] <= total)
    if "runs" in entry or "blocks" in entry:
        return _has_pattern(entry, total)
    gaps = entry.get("gaps", [0, 0, 2])
    if not isinstance(gaps, list) or len(gaps) not in (3, 4) or not all(map(_is_count, gaps)):
        return False
    values, symbols, width = gaps[:3]
    if values > total or not 2 <= width <= 8:
        return False
    return bool(values <= symbols <= values + total // (2**width - 1))  # the rest are escapes


def _has_pattern(entry: Entry, total: int) -> bool:
    runs = entry.get("runs", [2, 1])
    blocks = entry.get("blocks", [0, 2])
    for numbers, max_length in ((runs, 3), (blocks, 2)):
        if not isinstance(numbers, list) or not 2 <= len(numbers) <= max_length:
            return False
        if not all(map(_is_count, numbers)):
            return False
    width, nonzero = runs[:2]
    count, side = blocks
    fits = 1 <= nonzero < width <= 64 and comb(width, nonzero) <= MAX_PATTERNS
    return fits and 2 <= side <= 64 and count <= total and total > 0 and len(entry["shape"]) >= 2


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < COUNT_LIMIT
