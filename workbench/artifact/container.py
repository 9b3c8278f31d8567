"""The outside of the file: a safetensors container with two byte tensors, `header` and `data`.

Written by hand, so that its bytes do not depend on a library's version; any safetensors reader
opens it. The SHA-256 covers the header (with the digest's own text left empty) and the data.
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

from workbench.errors import ArtifactError

FORMAT = "workbench/1"
LONGEST_OUTSIDE = 2**20
LONGEST_HEADER = 16 * 2**20
Header = dict[str, Any]


def pack(header: Header, data: bytes) -> tuple[bytes, str]:
    """Return the whole file, and the digest that it carries."""
    digest = _digest(header, data)
    text = _text({**header, "sha256": digest})
    return _outside(len(text), len(data)) + text + data, digest


def unpack(blob: bytes) -> tuple[Header, bytes]:
    """Return the header and the data of a file.

    Raises
    ------
    ArtifactError
        When the bytes are empty, cut short, changed, or not of this format.
    """
    if not blob:
        raise ArtifactError("The file is empty: download or save it again.")
    if len(blob) < 8:
        raise ArtifactError("This is not a Workbench file: it is shorter than any could be.")
    (length,) = struct.unpack("<Q", blob[:8])
    if length > LONGEST_OUTSIDE or length > len(blob) - 8:
        raise ArtifactError("This is not a whole Workbench file: its start does not make sense.")
    outside = _json(blob[8 : 8 + length])
    metadata = outside.get("__metadata__")
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ArtifactError(
            f"This safetensors file was not written by Workbench in the format {FORMAT}."
        )
    try:
        first, last = outside["header"]["data_offsets"][1], outside["data"]["data_offsets"][1]
        whole = 8 + length + last
        fits = blob[: 8 + length] == _outside(first, last - first) and type(first) is int
    except (KeyError, TypeError, IndexError, ValueError, struct.error):
        raise ArtifactError("The file is damaged: its outer header was changed.") from None
    if whole != len(blob):
        raise ArtifactError(
            f"The file is cut short or has bytes added: {len(blob):,} bytes where {whole:,} belong."
        )
    if not fits or first > LONGEST_HEADER:
        raise ArtifactError("The file is damaged: its outer header was changed.")
    inside, data = blob[8 + length : 8 + length + first], blob[8 + length + first :]
    header = _json(inside)
    try:
        intact = _text(header) == inside and header.get("sha256") == _digest(header, data)
    except (UnicodeEncodeError, RecursionError):
        intact = False
    if not intact:
        raise ArtifactError("The file is damaged: its SHA-256 does not match its content.")
    return header, data


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


def _digest(header: Header, data: bytes) -> str:
    return hashlib.sha256(_text({**header, "sha256": ""}) + data).hexdigest()


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
