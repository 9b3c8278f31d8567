"""The outer layout of the file: a safetensors container with two byte tensors, `header` and `data`.

Written by hand, so that the bytes do not depend on a library's version; any safetensors reader
opens it. The SHA-256 covers the header (with an empty digest field) and the data.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

from workbench.errors import ArtifactError
from workbench.recipe.version_1 import upgrade_header

FORMAT, FORMAT_1 = "workbench/2", "workbench/1"
MAX_OUTER_BYTES = 2**20
MAX_HEADER_BYTES = 64 * 2**20
"""Enough for 200,000 tensors."""
DIGEST_LENGTH = 64
_OWN_SIGNS = (b'{"__metadata__":{"format":"workbench/', b'"header":{"dtype":"U8","shape":[')
START_BYTES = 100
"""The bytes of a file that `has_own_start` needs."""
Header = dict[str, Any]


def pack(header: Header, data: bytes) -> tuple[bytes, str]:
    """Return the content of a file and the digest that it carries."""
    stream = BytesIO()
    digest = write(stream, header, [data], len(data))
    return stream.getvalue(), digest


def total_size(header: Header, data_size: int) -> int:
    """Return the length of the file that `pack` writes for `data_size` bytes of data.

    Raises
    ------
    ArtifactError
        If there are more tensors than a header may list.
    """
    header_size = len(_unsigned(header)) + DIGEST_LENGTH
    return len(_outer_header(header_size, data_size)) + header_size + data_size


def write(stream: BinaryIO, header: Header, data: Iterable[bytes], data_size: int) -> str:
    """Write a file whose data come in pieces, and return the digest that it carries.

    Parameters
    ----------
    stream
        An empty, seekable stream: the header is written again once the digest is known.
    data
        Pieces of `data_size` bytes in all.

    Raises
    ------
    ArtifactError
        If there are more tensors than a header may list.
    """
    unsigned = _unsigned(header)
    outer = _outer_header(len(unsigned) + DIGEST_LENGTH, data_size)
    stream.write(outer)
    stream.write(bytes(len(unsigned) + DIGEST_LENGTH))
    digest = hashlib.sha256(unsigned)
    for piece in data:
        digest.update(piece)
        stream.write(piece)
    stream.seek(len(outer))
    stream.write(_to_json({**header, "sha256": digest.hexdigest()}))
    return digest.hexdigest()


def check_header_size(header: Header) -> None:
    """Check that a file can have a header with at least these entries.

    Raises
    ------
    ArtifactError
        If it is longer than a header may be.
    """
    _unsigned(header)


def _unsigned(header: Header) -> bytes:
    text = _to_json({**header, "sha256": ""})
    size = len(text) + DIGEST_LENGTH
    if size > MAX_HEADER_BYTES:
        raise ArtifactError(
            f"A file cannot list so many tensors: its header would take {len(text):,} bytes"
            f" of {MAX_HEADER_BYTES:,} at most.",
            code="artifact.too_many_tensors",
        )
    return text


def unpack(blob: bytes) -> tuple[Header, bytes]:
    """Return the header and the data of a file.

    Raises
    ------
    ArtifactError
        If the bytes are empty, cut short, changed, or not of this format.
    """
    stored = read_header(BytesIO(blob), len(blob))
    data = blob[stored.data_start :]
    return stored.verify([data]), data


def has_own_start(start: bytes) -> bool:
    """Whether the first `START_BYTES` are those of a Workbench file, be it damaged or not."""
    return any(sign in start for sign in _OWN_SIGNS)


class StoredHeader(NamedTuple):
    """The header of a file as it was written, and the offset of the file's data."""

    content: Header
    format: str
    data_start: int

    def verify(self, data: Iterable[bytes]) -> Header:
        """Return the header with the names of `FORMAT`.

        Raises
        ------
        ArtifactError
            If the digest is not that of the header and the `data`.
        """
        digest = hashlib.sha256(_to_json({**self.content, "sha256": ""}))
        for piece in data:
            digest.update(piece)
        if self.content.get("sha256") != digest.hexdigest():
            raise _digest_mismatch()
        return upgrade_header(self.content) if self.format == FORMAT_1 else self.content


def read_header(stream: BinaryIO, size: int) -> StoredHeader:
    """Return the header of a file of `size` bytes.

    Reads `stream` from the first byte of the file to the first byte of the data. The data are not
    read: `StoredHeader.verify` checks them.

    Raises
    ------
    ArtifactError
        If the bytes are empty, cut short, or not of this format.
    """
    if not size:
        raise ArtifactError("The file is empty: download or save it again.", code="artifact.empty")
    if size < 8:
        raise ArtifactError(
            "This is not a Workbench file: it has fewer than 8 bytes.", code="artifact.too_short"
        )
    start = stream.read(8)
    (length,) = struct.unpack("<Q", start)
    if length > MAX_OUTER_BYTES or length > size - 8:
        raise ArtifactError(
            "This is not a complete Workbench file: its first 8 bytes are not a valid length.",
            code="artifact.invalid_start",
        )
    start += stream.read(length)
    outer = _from_json(start[8:])
    metadata = outer.get("__metadata__")
    written = metadata.get("format") if isinstance(metadata, dict) else None
    if written not in (FORMAT, FORMAT_1):
        reason = (
            f"The file has the format {written}: upgrade Workbench, which reads {FORMAT} and "
            f"{FORMAT_1}."
            if isinstance(written, str) and written.startswith(FORMAT.partition("/")[0])
            else "This safetensors file is not compressed: Workbench did not write it in the "
            f"format {FORMAT} or {FORMAT_1}; compress it first, with workbench compress."
        )
        raise ArtifactError(reason, code="artifact.unknown_format")
    damaged = ArtifactError(
        "The file is damaged: its outer header was changed.", code="artifact.outer_header_damaged"
    )
    try:
        header_size, end = outer["header"]["data_offsets"][1], outer["data"]["data_offsets"][1]
        expected = 8 + length + end
        is_canonical = (
            start == _outer_header(header_size, end - header_size, written)
            and type(header_size) is int
        )
    except (KeyError, TypeError, IndexError, ValueError, struct.error):
        raise damaged from None
    if expected != size:
        raise ArtifactError(
            f"The file is cut short or has extra bytes: {size:,} bytes instead of {expected:,}.",
            code="artifact.wrong_size",
        )
    if not is_canonical or header_size > MAX_HEADER_BYTES:
        raise damaged
    text = stream.read(header_size)
    header = _from_json(text)
    try:
        is_canonical = _to_json(header) == text
    except (UnicodeEncodeError, RecursionError):
        is_canonical = False
    if not is_canonical:
        raise _digest_mismatch()
    return StoredHeader(header, written, 8 + length + header_size)


def _digest_mismatch() -> ArtifactError:
    return ArtifactError(
        "The file is damaged: its SHA-256 does not match its content.",
        code="artifact.digest_mismatch",
    )


def _outer_header(header_size: int, data_size: int, format: str = FORMAT) -> bytes:
    end = header_size + data_size
    text = _to_json(
        {
            "__metadata__": {"format": format},
            "header": {"dtype": "U8", "shape": [header_size], "data_offsets": [0, header_size]},
            "data": {"dtype": "U8", "shape": [data_size], "data_offsets": [header_size, end]},
        }
    )
    padded = text + b" " * (-len(text) % 8)  # safetensors aligns the data to 8 bytes
    return struct.pack("<Q", len(padded)) + padded


def _to_json(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def _from_json(text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ArtifactError(
            "This is not a Workbench file: its header is not JSON.", code="artifact.not_json"
        ) from None
    if not isinstance(content, dict):
        raise ArtifactError(
            "This is not a Workbench file: its header is not a JSON object.",
            code="artifact.header_not_an_object",
        )
    return content
