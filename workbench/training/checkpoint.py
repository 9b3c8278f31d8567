"""The state of a training run in a file, to resume it after a crash or kill."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

DIGEST = 32
"""Bytes of the SHA-256 digest at the start of a checkpoint."""


def write(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values atomically. A failed write, as on a full disk, is ignored."""
    content = io.BytesIO()
    torch.save(state, content)
    blob = content.getvalue()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(sha256(blob).digest() + blob)  # torch.load does not detect damage
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)


def read(path: Path) -> dict[str, Any] | None:
    """Return the state in a file, or None if the file is missing or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, blob = content[:DIGEST], content[DIGEST:]
    if sha256(blob).digest() != digest:
        return None
    state: dict[str, Any] = torch.load(io.BytesIO(blob), weights_only=True)
    return state
