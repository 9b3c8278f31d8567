"""The inside header: what a file says of itself, checked before anything is allocated."""

from __future__ import annotations

from math import comb, prod
from typing import Any

from workbench.artifact.module_spec import ModuleSpec
from workbench.artifact.original_dtype import is_valid_original_dtype
from workbench.compression.axes import Axes
from workbench.compression.checks import MAX_AXES
from workbench.compression.codecs.runs import MAX_PATTERNS as MOST_PATTERNS
from workbench.compression.codecs.stream import Entry, canonical_entry, parts
from workbench.compression.coded import WIDTHS
from workbench.errors import ArtifactError

INDICES = ("bitmap", "gaps", "runs", "blocks")
EVERY = ("shape", *INDICES)
KEYS = ("model", "recipe", "form", "tensors", "sha256")
MAX_DECODED_BYTES = 2**30
"""Bytes of decoded weights that a file may claim unless its reader allows more."""

MOST_SHARED = 256
"""Values that the weights of a tensor may share, zero among them: a number is a byte."""
FLOATS = ("f32", "bf16", "fp16")
MOST = 2**48
"""No count in a file reaches this."""


def check(header: dict[str, Any], data_size: int, max_bytes: int = MAX_DECODED_BYTES) -> None:
    """Raise `ArtifactError` unless the header makes sense and unpacks to `max_bytes` bytes."""
    check_entries(header)
    if sum(map(decoded_size, header["tensors"].values())) > max_bytes:
        raise ArtifactError(
            f"The file unpacks to more than {max_bytes:,} bytes: pass a larger limit if you trust it."
        )
    check_lengths(header, data_size)


def decoded_size(entry: Entry) -> int:
    """Return the bytes that decoding a tensor takes, those of its factors among them."""
    return sum(
        max(4, WIDTHS[one.get("dtype", "f32")]) * prod(one["shape"])
        for one in (entry, *entry.get("factors", ()))
    )


def check_entries(header: dict[str, Any]) -> None:
    """Raise `ArtifactError` unless every entry makes sense."""
    tensors = header.get("tensors")
    if not isinstance(tensors, dict):
        raise ArtifactError("The file lists no tensors: it is damaged or of another kind.")
    if not isinstance(header.get("model"), str) or not isinstance(header.get("recipe"), dict):
        raise ArtifactError("The file does not name its model and recipe: it is damaged.")
    if tuple(header) != KEYS:
        raise ArtifactError("The file says more than this version knows: upgrade Workbench.")
    _check_form(header["form"], tensors)
    for name, entry in tensors.items():
        if not isinstance(entry, dict) or not _sensible_whole(entry):
            raise ArtifactError(f"The file's entry for {name!r} does not make sense.")


def check_lengths(header: dict[str, Any], data_size: int) -> None:
    """Raise `ArtifactError` unless the streams of a sensible header fill the data."""
    if sum(parts(entry).total for entry in header["tensors"].values()) != data_size:
        raise ArtifactError("The file's streams do not add up to its length: it is damaged.")


def _check_form(form: Any, tensors: dict[str, Any]) -> None:
    for path, _grid in ModuleSpec.from_list(form).inputs:
        if f"{path}.weight" not in tensors:
            raise ArtifactError(f"The file rounds the inputs of {path!r}, which it does not hold.")


def _sensible_whole(entry: Entry) -> bool:
    coded = {key: value for key, value in entry.items() if key != "was"}
    if "axes" in coded:
        if not _sensible_shape(coded) or not _sensible_axes(coded["axes"], coded["shape"]):
            return False
        coded = canonical_entry(coded)
    return _sensible(coded) and is_valid_original_dtype(entry)


def _sensible_shape(entry: Entry) -> bool:
    shape = entry.get("shape")
    if not isinstance(shape, list) or len(shape) > MAX_AXES or not all(_count(n) for n in shape):
        return False
    # [2**40, 2**40, 0] is empty, yet overflows libraries
    return bool(prod(n for n in shape if n) < MOST)


def _sensible_axes(axes: Any, shape: list[int]) -> bool:
    """Whether a tensor of `shape` can be coded with its `axes` turned."""
    match axes:
        case [list() as outputs, list() as inputs, groups] if _count(groups):
            numbered = all(map(_count, [*outputs, *inputs]))
            return numbered and Axes.from_list(axes).fit(shape)
    return False


def _sensible(entry: Entry) -> bool:
    if not _sensible_shape(entry):
        return False
    shape = entry["shape"]
    total = prod(shape)
    if "factors" in entry:
        return _sensible_factors(entry)
    if sum(index in entry for index in INDICES) > 1:
        return False
    if "bits" in entry and "shared" in entry:
        return False
    sensible = _sensible_plain
    if "bits" in entry:
        sensible = _sensible_codes
    elif "shared" in entry:
        sensible = _sensible_shared
    return _sensible_index(entry, total) and sensible(entry, total)


def _sensible_factors(entry: Entry) -> bool:
    factors = entry["factors"]
    if set(entry) != {"shape", "factors"} or not isinstance(factors, list) or len(factors) != 2:
        return False
    if not all(isinstance(one, dict) and "factors" not in one for one in factors):
        return False
    if not all(map(_sensible, factors)):
        return False
    shape = entry["shape"]
    left, right = (one["shape"] for one in factors)
    thin = len(shape) >= 2 and len(left) == len(right) == 2 and left[1] == right[0] >= 1
    floats = all(one.get("dtype", "f32") in FLOATS for one in factors)
    return thin and floats and left[0] == shape[0] and right[1] == prod(shape[1:])


def _sensible_plain(entry: Entry, total: int) -> bool:
    dtype = entry.get("dtype", "f32")
    return isinstance(dtype, str) and dtype in WIDTHS and set(entry) <= {"dtype", *EVERY}


def _sensible_codes(entry: Entry, total: int) -> bool:
    bits, rows = entry["bits"], entry.get("rows")
    known = set(entry) <= {"bits", "rows", "group", "affine", "huffman", *EVERY}
    if not (known and _count(bits) and 2 <= bits <= 8 and _count(rows)):
        return False
    if (rows == 0) != (total == 0) or (rows and total % rows):
        return False
    length = total // rows if rows else 0
    group = entry.get("group", length)
    affine = entry.get("affine", 1)
    fits = _count(group) and (0 < group <= length or group == length)
    return fits and _count(affine) and affine == 1 and _count(entry.get("huffman", 0))


def _sensible_shared(entry: Entry, total: int) -> bool:
    shared = entry["shared"]
    known = set(entry) <= {"shared", "huffman", *EVERY}
    if not (known and isinstance(shared, list) and len(shared) == 3 and all(map(_count, shared))):
        return False
    rows, clusters, zero = shared
    has_zero = zero == 1 or (zero == 0 and not entry.keys() & set(INDICES))
    fits = rows >= 1 and total % rows == 0 and 1 <= clusters <= MOST_SHARED - zero
    return has_zero and fits and _count(entry.get("huffman", 0))


def _sensible_index(entry: Entry, total: int) -> bool:
    if "bitmap" in entry:
        return _count(entry["bitmap"]) and bool(entry["bitmap"] <= total)
    if "runs" in entry or "blocks" in entry:
        return _sensible_pattern(entry, total)
    gaps = entry.get("gaps", [0, 0, 2])
    if not isinstance(gaps, list) or len(gaps) not in (3, 4) or not all(_count(n) for n in gaps):
        return False
    values, symbols, width = gaps[:3]
    if values > total or not 2 <= width <= 8:
        return False
    return bool(values <= symbols <= values + total // (2**width - 1))  # the rest are escapes


def _sensible_pattern(entry: Entry, total: int) -> bool:
    runs = entry.get("runs", [2, 1])
    blocks = entry.get("blocks", [0, 2])
    for numbers, most in ((runs, 3), (blocks, 2)):
        if not isinstance(numbers, list) or not 2 <= len(numbers) <= most:
            return False
        if not all(_count(number) for number in numbers):
            return False
    width, kept = runs[:2]
    count, side = blocks
    fits = 1 <= kept < width <= 64 and comb(width, kept) <= MOST_PATTERNS
    return fits and 2 <= side <= 64 and count <= total and total > 0 and len(entry["shape"]) >= 2


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST
