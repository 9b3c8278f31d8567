"""Disk cache of artifacts and statistics that are expensive to compute."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

import platformdirs

from workbench.cache.memory import FOREVER, Lifetime, MemoryCache

MAX_DISK_BYTES = 256 * 2**20
MAX_IN_MEMORY = 16
MAX_MEMORY_BYTES = 32 * 2**20
SUFFIX, CHECKPOINT_SUFFIX, NEW_PREFIX = ".cached", ".unfinished", ".new-"
MAX_WRITE_SECONDS = 3600
"""A new file that is older was left by a process that was killed."""
VARIABLE = "WORKBENCH_STORE"


def cache_folder() -> Path | None:
    """Return the folder of the caches: `WORKBENCH_STORE` if it is set, None if it is empty."""
    folder = os.environ.get(VARIABLE)
    if folder == "":
        return None
    return Path(folder) if folder else Path(platformdirs.user_cache_dir("workbench"))


class FileCache:
    """Bytes by key: all on disk, and the most recent in memory.

    It is safe to share between threads and processes. A failing disk never raises an error: the
    content is computed again.

    Parameters
    ----------
    folder
        The folder on disk, or None for a cache in memory only.
    max_bytes
        The largest size on disk; the least recently used files are removed first.
    """

    def __init__(self, folder: Path | None, max_bytes: int = MAX_DISK_BYTES) -> None:
        self._folder = None if folder is None else folder / "trained"
        self._max_bytes = max_bytes
        self._recent: MemoryCache[bytes] = MemoryCache(MAX_IN_MEMORY, MAX_MEMORY_BYTES, len)
        self._large: MemoryCache[bytes] = MemoryCache(1)

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`, or None."""
        blob, path = self._recent.get(key), self._path(key)
        if path is None:
            return blob or self._large.get(key)
        with suppress(OSError):
            blob = blob or path.read_bytes()
            os.utime(path)  # the age decides which files are removed first
        return blob

    def put(self, key: str, blob: bytes, lifetime: Lifetime = FOREVER) -> None:
        """Store `blob` under `key`, atomically on disk, and in memory until `lifetime` ends.

        Without a folder, the last blob that exceeds the memory limit is held in memory as well.
        """
        self._recent.put(key, blob, lifetime)
        path = self._path(key)
        if path is None:
            if len(blob) > MAX_MEMORY_BYTES:
                self._large.put(key, blob, lifetime)
            return
        if len(blob) > self._max_bytes:  # it would remove all others, and then itself
            return
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=NEW_PREFIX)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(blob)
                Path(temporary).replace(path)
            finally:
                Path(temporary).unlink(missing_ok=True)
            self._shrink(path.parent)

    def checkpoint_path(self, key: str) -> Path | None:
        """Return the path of a training checkpoint for `key`, or None without a folder."""
        path = self._path(key)
        return path.with_suffix(CHECKPOINT_SUFFIX) if path is not None else None

    def discard_checkpoint(self, key: str) -> None:
        """Delete the training checkpoint for `key`."""
        path = self.checkpoint_path(key)
        if path is not None:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"{sha256(key.encode()).hexdigest()}{SUFFIX}"

    def _shrink(self, folder: Path) -> None:
        files = []
        for path in folder.iterdir():
            with suppress(FileNotFoundError):  # another process has removed it
                stat = path.stat()
                files.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _used, size, _path in files)
        for used, size, path in sorted(files):
            if total <= self._max_bytes:
                return
            if path.name.startswith(NEW_PREFIX) and time.time() - used < MAX_WRITE_SECONDS:
                continue  # another process is writing it
            path.unlink(missing_ok=True)
            total -= size


@cache
def default_file_cache() -> FileCache:
    """Return the cache in the user's cache folder."""
    return FileCache(cache_folder())
