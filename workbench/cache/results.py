"""Bounded on-disk cache of evaluation results, shared across processes.

Values are JSON under keys made of content digests: an entry can be missing, but never wrong.
A cache file that cannot be used (a broken file, a file system without locks) is rebuilt or
ignored; `note` reports it.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from workbench.cache.files import cache_folder
from workbench.cache.memory import MemoryCache
from workbench.i18n import _

MAX_DISK_BYTES = 64 * 2**20
"""The largest size on disk; the least recently used values are removed first."""
MAX_IN_MEMORY = 20_000
MAX_MEMORY_BYTES = 16 * 2**20
"""The largest size in memory, measured as JSON text."""
LOCK_SECONDS = 5.0
"""How long to wait for another process that writes."""
FILE = "results.sqlite3"
_COLUMNS = ("key", "value", "size", "used")
_TABLE = """
CREATE TABLE IF NOT EXISTS results
(key TEXT PRIMARY KEY, value TEXT NOT NULL, size INTEGER NOT NULL, used REAL NOT NULL)
"""
_EVICT = """
DELETE FROM results WHERE key IN
(SELECT key FROM results ORDER BY used LIMIT 1 + (SELECT COUNT(*) FROM results) / 4)
"""


class ResultCache:
    """Results by key, in memory and, if there is a folder, on disk.

    It is safe to share between threads and processes. A failing disk never raises an error: the
    cache continues in memory, and `note` holds a sentence about it.

    Parameters
    ----------
    folder
        The folder on disk, or None for a cache in memory only.
    max_bytes
        The largest size on disk.
    """

    def __init__(self, folder: Path | None = None, max_bytes: int = MAX_DISK_BYTES) -> None:
        self.note: str | None = None
        self._memory: MemoryCache[tuple[Any, int]] = MemoryCache(
            MAX_IN_MEMORY, MAX_MEMORY_BYTES, lambda entry: entry[1]
        )
        self._lock = threading.Lock()
        self._used: dict[
            str, float
        ] = {}  # when entries were last read, by key, unless the disk knows it
        self._max_bytes = max_bytes
        self._path: Path | None = None
        self._disk: sqlite3.Connection | None = None
        if folder is not None:
            self._open(folder)

    def get(self, key: str) -> Any | None:
        """Return the value under `key`, or None."""
        with self._lock:
            entry = self._memory.get(key)
            if entry is not None:
                if self._disk is not None:
                    self._used[key] = time.time()
                return entry[0]
            row = self._try("SELECT value FROM results WHERE key = ?", key)
            if not row:
                return None
            try:
                value = json.loads(row[0][0])
            except (ValueError, TypeError):
                self._try("DELETE FROM results WHERE key = ?", key)
                return None
            self._used[key] = time.time()
            self._memory.put(key, (value, len(row[0][0])))
            return value

    def put(self, key: str, value: Any) -> None:
        """Store a JSON-serializable `value` under `key`."""
        with self._lock:
            text = json.dumps(value, separators=(",", ":"))
            self._memory.put(key, (value, len(text)))
            insert = "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)"
            self._try(insert, key, text, len(text) + len(key), time.time())
            self._shrink()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._mark_used()
            if self._disk is not None:
                self._disk.close()
                self._disk = None

    def _open(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path = folder / FILE
            self._connect()
        except (OSError, sqlite3.OperationalError) as error:
            self._use_memory_only(error)
        except sqlite3.DatabaseError:
            self._rebuild()

    def _connect(self) -> None:
        assert self._path is not None
        disk = sqlite3.connect(
            self._path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            disk.execute("PRAGMA journal_mode = WAL")
            disk.execute("PRAGMA synchronous = NORMAL")
            disk.execute(_TABLE)
            columns = tuple(row[1] for row in disk.execute("PRAGMA table_info(results)"))
            if columns != _COLUMNS:
                raise sqlite3.DatabaseError(f"the table has the columns {columns}")
            disk.execute("SELECT * FROM results LIMIT 1").fetchall()
        except sqlite3.Error:
            disk.close()
            raise
        self._disk = disk

    def _rebuild(self) -> None:
        assert self._path is not None
        try:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            self._connect()
        except (OSError, sqlite3.Error) as error:
            self._use_memory_only(error)

    def _use_memory_only(self, error: Exception) -> None:
        self._disk = None
        sentence = _(
            "Results are cached in memory only, because the cache file cannot be used: {error}."
        )
        self.note = sentence.format(error=str(error).rstrip("."))

    def _try(self, statement: str, *values: Any) -> list[Any]:
        if self._disk is None:
            return []
        try:
            return self._disk.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):  # a locked database is only busy
                self._disk.close()
                self._use_memory_only(error)
        except sqlite3.DatabaseError:
            self._disk.close()
            self._rebuild()
        return []

    def _mark_used(self) -> None:
        """Write the times of the last reads, which decide what is removed first."""
        self._try("BEGIN IMMEDIATE")  # one write to the disk for all
        for key, used in self._used.items():
            self._try("UPDATE results SET used = ? WHERE key = ?", used, key)
        self._used.clear()
        if self._disk is not None and self._disk.in_transaction:
            self._try("COMMIT")

    def _shrink(self) -> None:
        rows = self._try("SELECT COALESCE(SUM(size), 0) FROM results")
        if rows and rows[0][0] > self._max_bytes:
            self._mark_used()
            self._try(_EVICT)


@cache
def default_result_cache() -> ResultCache:
    """Return the cache in the user's cache folder."""
    return ResultCache(cache_folder())
