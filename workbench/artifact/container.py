"""The outside of the file: a safetensors container with two byte tensors, `header` and `data`.

Written by hand, so that its bytes do not depend on a library's version; any safetensors reader
opens it. The SHA-256 covers the header (with the digest's own text left empty) and the data.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from io import BytesIO
from typing import Any, BinaryIO

from workbench.errors import ArtifactError

FORMAT = "workbench/1"
LONGEST_OUTSIDE = 2**20
MAX_HEADER_BYTES = 16 * 2**20
DIGITS = 64
CHANGED = "The file is damaged: its SHA-256 does not match its content."
Header = dict[str, Any]


def pack(header: Header, data: bytes) -> tuple[bytes, str]:
    """Return the whole file, and the digest that it carries."""
    whole = BytesIO()
    digest = write(whole, header, [data], len(data))
    return whole.getvalue(), digest


def total_size(header: Header, size: int) -> int:
    """Return the length of the file that `pack` makes of `size` bytes of data.

    Raises
    ------
    ArtifactError
        When there are more tensors than a header may list.
    """
    inside = len(_unsigned(header)) + DIGITS
    return len(_outside(inside, size)) + inside + size


def write(stream: BinaryIO, header: Header, data: Iterable[bytes], size: int) -> str:
    """Write a file whose data, `size` bytes, come in pieces; return the digest that it carries.

    `stream` is empty and can be written anywhere: the header is put right at the end.

    Raises
    ------
    ArtifactError
        When there are more tensors than a header may list.
    """
    unsigned = _unsigned(header)
    outside = _outside(len(unsigned) + DIGITS, size)
    stream.write(outside)
    stream.write(bytes(len(unsigned) + DIGITS))
    found = hashlib.sha256(unsigned)
    for piece in data:
        found.update(piece)
        stream.write(piece)
    stream.seek(len(outside))
    stream.write(_text({**header, "sha256": found.hexdigest()}))
    return found.hexdigest()


def _unsigned(header: Header) -> bytes:
    text = _text({**header, "sha256": ""})
    if len(text) + DIGITS > MAX_HEADER_BYTES:
        raise ArtifactError(
            f"A file cannot list so many tensors: its header would take {len(text):,} bytes"
            f" of {MAX_HEADER_BYTES:,} at most."
        )
    return text


def unpack(blob: bytes) -> tuple[Header, bytes]:
    """Return the header and the data of a file.

    Raises
    ------
    ArtifactError
        When the bytes are empty, cut short, changed, or not of this format.
    """
    header, start = read_header(BytesIO(blob), len(blob))
    data = blob[start:]
    check_digest(header, [data])
    return header, data


def read_header(stream: BinaryIO, size: int) -> tuple[Header, int]:
    """Return the header of a file of `size` bytes, and where its data start.

    `stream` stands at its first byte, and then at the first one of the data, which are not read:
    `check_digest` says whether header and data are what was written.

    Raises
    ------
    ArtifactError
        When the bytes are empty, cut short, or not of this format.
    """
    if not size:
        raise ArtifactError("The file is empty: download or save it again.")
    if size < 8:
        raise ArtifactError("This is not a Workbench file: it is shorter than any could be.")
    start = stream.read(8)
    (length,) = struct.unpack("<Q", start)
    if length > LONGEST_OUTSIDE or length > size - 8:
        raise ArtifactError("This is not a whole Workbench file: its start does not make sense.")
    start += stream.read(length)
    outside = _json(start[8:])
    metadata = outside.get("__metadata__")
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ArtifactError(
            f"This safetensors file was not written by Workbench in the format {FORMAT}."
        )
    try:
        first, last = outside["header"]["data_offsets"][1], outside["data"]["data_offsets"][1]
        whole = 8 + length + last
        fits = start == _outside(first, last - first) and type(first) is int
    except (KeyError, TypeError, IndexError, ValueError, struct.error):
        raise ArtifactError("The file is damaged: its outer header was changed.") from None
    if whole != size:
        raise ArtifactError(
            f"The file is cut short or has bytes added: {size:,} bytes where {whole:,} belong."
        )
    if not fits or first > MAX_HEADER_BYTES:
        raise ArtifactError("The file is damaged: its outer header was changed.")
    inside = stream.read(first)
    header = _json(inside)
    try:
        intact = _text(header) == inside
    except (UnicodeEncodeError, RecursionError):
        intact = False
    if not intact:
        raise ArtifactError(CHANGED)
    return header, 8 + length + first


def check_digest(header: Header, data: Iterable[bytes]) -> None:
    """Raise `ArtifactError` unless the header's digest is that of the header and the `data`."""
    found = hashlib.sha256(_text({**header, "sha256": ""}))
    for piece in data:
        found.update(piece)
    if header.get("sha256") != found.hexdigest():
        raise ArtifactError(CHANGED)


def _outside(header_size: int, data_size: int) -> bytes:
    end = header_size + data_size
    text = _text(
        {
            "__metadata__": {"format": FORMAT},
            "header": {"dtype": "U8", "shape": [header_size], "data_offsets": [0, header_size]},
            "data": {"dtype": "U8", "shape": [data_size], "data_offsets": [header_size, end]},
        }
    )
    padded = text + b" " * (-len(text) % 8)  # safetensors aligns the data to 8 bytes
    return struct.pack("<Q", len(padded)) + padded


def _text(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def _json(text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ArtifactError("This is not a Workbench file: its header is not JSON.") from None
    if not isinstance(content, dict):
        raise ArtifactError("This is not a Workbench file: its header is not an object.")
    return content
