"""Files that took training to make, kept in the person's cache folder so that it is done once."""

from __future__ import annotations

import contextlib
import os
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path

import platformdirs

from workbench.cache.memory import FOREVER, Lifetime, MemoryCache

LARGEST = 256 * 2**20
"""Bytes kept in all; the least recently used go first."""
IN_MEMORY = 16
ROOM = 32 * 2**20
"""Bytes of blobs that are kept in memory, too."""
FINISHED, UNFINISHED = ".kept", ".unfinished"
VARIABLE = "WORKBENCH_STORE"


def cache_folder() -> Path | None:
    """Return where things are kept: `WORKBENCH_STORE` if set, nowhere if it is empty."""
    chosen = os.environ.get(VARIABLE)
    if chosen == "":
        return None
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("workbench"))


class FileCache:
    """Blobs by key, the newest in memory and all on disk, if there is a folder.

    Nothing here raises for a failing disk, which only means training again.
    """

    def __init__(self, where: Path | None, max_bytes: int = LARGEST) -> None:
        self.where = where
        self.max_bytes = max_bytes
        self._newest: MemoryCache[bytes] = MemoryCache(IN_MEMORY, ROOM, len)
        self._large: MemoryCache[bytes] = MemoryCache(1)

    def get(self, key: str) -> bytes | None:
        """Return the blob under `key`, or None."""
        found = self._newest.get(key)
        if found is not None:
            return found
        path = self._path(key)
        if path is None:
            return self._large.get(key)
        with contextlib.suppress(OSError):
            blob = path.read_bytes()
            os.utime(path)
            return blob
        return None

    def put(self, key: str, blob: bytes, lifetime: Lifetime = FOREVER) -> None:
        """Keep `blob` under `key`, written whole or not at all; in memory as long as `life` lasts.

        Where there is no folder the newest blob that is too large for memory is kept there.
        """
        self._newest.put(key, blob, lifetime)
        path = self._path(key)
        if path is None:
            if len(blob) > ROOM:
                self._large.put(key, blob, lifetime)
            return
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(blob)
                Path(temporary).replace(path)
            finally:
                Path(temporary).unlink(missing_ok=True)
            self._shrink()

    def checkpoint_path(self, key: str) -> Path | None:
        """Return where a checkpoint of the work on `key` may lie, or None where nothing is kept."""
        path = self._path(key)
        return path.with_suffix(UNFINISHED) if path is not None else None

    def discard_checkpoint(self, key: str) -> None:
        """Delete the checkpoint of the work on `key`."""
        path = self.checkpoint_path(key)
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path | None:
        if self.where is None:
            return None
        return self.where / "trained" / f"{sha256(key.encode()).hexdigest()}{FINISHED}"

    def _shrink(self) -> None:
        assert self.where is not None
        found = [(path.stat(), path) for path in (self.where / "trained").iterdir()]
        total = sum(about.st_size for about, _path in found)
        for about, path in sorted(found, key=lambda one: one[0].st_mtime):
            if total <= self.max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= about.st_size


@cache
def default_file_cache() -> FileCache:
    """Return the person's own kept files."""
    return FileCache(cache_folder())
