"""Partial output next to the target file, from which a killed run continues.

One file holds the finished streams end to end. Another has one line of JSON per stream, written
after it, with its checksum: data that a power cut lost or another process wrote is discarded.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from filelock import FileLock, Timeout

from workbench.artifact import container
from workbench.artifact.repeated import MIN_BYTES, entry_key
from workbench.compression.codecs.stream import SAME_KEY, Entry
from workbench.compression.weight_error import WeightError
from workbench.errors import ArtifactError, FileError

CHUNK_BYTES = 2**20
FREE_SPACE = " Free disk space or choose another place."
"""A hint for errors when writing the output."""


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Let no other process write the partial output of `output`; a killed process loses the lock.

    Raises
    ------
    FileError
        If another process is writing it.
    """
    lock = FileLock(output.with_name(f".{output.name}.unfinished.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise FileError(
            f"Another process is writing {output}: wait until it ends, or choose another output.",
            code="file.being_written",
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            Path(lock.lock_file).unlink()
        lock.release()


class Finished(NamedTuple):
    """An encoded tensor: its header entry and stream, the ties it pruned, and its error if any."""

    entry: Entry
    stream: bytes
    ties: int
    error: WeightError | None


@dataclass(eq=False)
class ResumableOutput:
    """The finished streams of a file and their header entries.

    Attributes
    ----------
    output : Path
        The file to write.
    key : str
        Identifies the work; partial output with another key is discarded.
    plan
        Plain data computed before the first stream, or None.
    entries : dict
        The header entry of each finished tensor by name.
    errors : dict
        The error of each finished tensor that was changed, by name.
    ties : int
        The number of ties that the finished tensors pruned.
    size : int
        Bytes of the finished streams.
    """

    output: Path
    key: str
    plan: Any = None
    entries: dict[str, Entry] = field(default_factory=dict)
    errors: dict[str, WeightError] = field(default_factory=dict)
    ties: int = 0
    size: int = 0
    _checksums: list[tuple[int, int]] = field(default_factory=list)
    _streams_by_key: dict[tuple[str, int, int], list[tuple[str, int]]] = field(default_factory=dict)

    @classmethod
    def resume(cls, output: Path, key: str) -> ResumableOutput:
        """Return the partial output of the work `key`, or an empty one."""
        partial = cls(output, key)
        with (
            suppress(OSError),
            partial._data.open("r+b") as data,
            partial._notes.open("r+b") as notes,
        ):
            notes.truncate(partial._read_notes(data, notes))
        if partial.plan is None:
            partial.discard()
        return partial

    def begin(self, plan: Any) -> None:
        """Store the plan, before the first stream."""
        self.plan = plan
        self._data.touch()
        self._note({"key": self.key, "plan": plan})

    def add(self, name: str, tensor: Finished) -> None:
        """Append the stream of a tensor, or name the earlier tensor that has the same one."""
        entry, stream = tensor.entry, tensor.stream
        first = self._same(entry, stream)
        if first is not None:
            entry, stream = {**entry, SAME_KEY: first}, b""
        with self._data.open("ab") as data:
            data.write(stream)
        note = {"name": name, "entry": entry, "size": len(stream), "sum": zlib.crc32(stream)}
        error = tensor.error.as_list() if tensor.error else None
        note |= {"ties": tensor.ties, "error": error}
        self._register(note)
        self._note(note)

    def finish(self, header: dict[str, Any]) -> dict[str, Any]:
        """Write the output, remove the partial output, and return the header with its digest.

        Raises
        ------
        ArtifactError
            If the header is too long; the partial output is then removed, as it is of no use.
        """
        try:
            container.check_header_size(header)
        except ArtifactError:
            self.discard()
            raise
        with self._new.open("wb") as stream:
            digest = container.write(stream, header, self._streams(), self.size)
        self._new.replace(self.output)
        self.discard()
        return {**header, "sha256": digest}

    def discard(self) -> None:
        """Remove the partial output."""
        for path in (self._notes, self._data, self._new):
            path.unlink(missing_ok=True)

    @property
    def _data(self) -> Path:
        return self.output.with_name(f".{self.output.name}.unfinished")

    @property
    def _notes(self) -> Path:
        return self.output.with_name(f".{self.output.name}.unfinished.notes")

    @property
    def _new(self) -> Path:
        return self.output.with_name(f".{self.output.name}.unfinished.new")

    def _note(self, line: dict[str, Any]) -> None:
        with self._notes.open("ab") as notes:
            notes.write(json.dumps(line).encode() + b"\n")

    def _register(self, note: dict[str, Any]) -> None:
        name, error = note["name"], note["error"]
        self.entries[name] = note["entry"]
        if error is not None:
            self.errors[name] = WeightError(*error)
        self.ties += note["ties"]
        size, checksum = note["size"], note["sum"]
        if size >= MIN_BYTES:
            key = (entry_key(note["entry"]), size, checksum)
            self._streams_by_key.setdefault(key, []).append((name, self.size))
        self._checksums.append((size, checksum))
        self.size += size

    def _same(self, entry: Entry, stream: bytes) -> str | None:
        """Return the finished tensor with an equal entry and stream, or None."""
        key = (entry_key(entry), len(stream), zlib.crc32(stream))
        for name, start in self._streams_by_key.get(key, ()):
            with self._data.open("rb") as data:
                data.seek(start)
                if data.read(len(stream)) == stream:
                    return name
        return None

    def _read_notes(self, data: BinaryIO, notes: BinaryIO) -> int:
        """Read the notes whose streams are intact, and return the bytes of those notes."""
        valid = 0
        for line in notes:
            try:
                note = json.loads(line)
                if not valid:
                    if note["key"] != self.key:
                        break
                    self.plan = note["plan"]
                else:
                    stream = data.read(note["size"])
                    if (len(stream), zlib.crc32(stream)) != (note["size"], note["sum"]):
                        break
                    self._register(note)
            except (ValueError, KeyError, TypeError):  # the last line was cut off
                break
            valid += len(line)
        data.truncate(self.size)
        return valid

    def _streams(self) -> Iterator[bytes]:
        with self._data.open("rb") as data:
            for size, expected in self._checksums:
                checksum = 0
                for start in range(0, size, CHUNK_BYTES):
                    chunk = data.read(min(CHUNK_BYTES, size - start))
                    checksum = zlib.crc32(chunk, checksum)
                    yield chunk
                if checksum != expected:
                    self.discard()
                    raise FileError(
                        f"Another process changed the partial output of {self.output}: start "
                        "again.",
                        code="file.changed_by_another_process",
                    )
