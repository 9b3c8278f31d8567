"""What is done of a file, kept beside it so that a run that was killed goes on from there.

Streams lie end to end in one file; another has a line of JSON for each, written after it, with its
checksum: what a power cut lost, or another process wrote, is not believed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from workbench.artifact.container import write
from workbench.compression.codecs.stream import Entry
from workbench.errors import ArtifactError

AT_ONCE = 2**20


@dataclass(eq=False)
class ResumableOutput:
    """The streams that are done, and what is known of them.

    `plan` is what was found out before the first, or None; `ties` sums those of all `entries`.
    """

    output: Path
    key: str
    plan: Any = None
    entries: dict[str, Entry] = field(default_factory=dict)
    ties: int = 0
    _sums: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, output: Path, key: str) -> ResumableOutput:
        """Return what is left of the same work, named by `key`, or nothing done."""
        found = cls(output, key)
        with suppress(OSError), found._data.open("r+b") as data, found._notes.open("r+b") as notes:
            whole = found._take_up(data, notes)
            notes.truncate(whole)
        if found.plan is None:
            found.forget()
        return found

    @property
    def size(self) -> int:
        """Bytes of the streams that are done."""
        return sum(size for size, _ in self._sums)

    def begin(self, plan: Any) -> None:
        """Keep what was found out before the first stream."""
        self.plan = plan
        self._data.touch()
        self._note({"key": self.key, "plan": plan})

    def add(self, name: str, entry: Entry, stream: bytes, ties: int) -> None:
        """Keep the stream of a tensor."""
        with self._data.open("ab") as data:
            data.write(stream)
        self._keep(name, entry, len(stream), zlib.crc32(stream), ties)
        size, checksum = self._sums[-1]
        self._note({"name": name, "entry": entry, "size": size, "sum": checksum, "ties": ties})

    def finish(self, header: dict[str, Any]) -> dict[str, Any]:
        """Write the output and remove everything else; return its header with the digest."""
        with self._new.open("wb") as stream:
            digest = write(stream, header, self._streams(), self.size)
        self._new.replace(self.output)
        self.forget()
        return {**header, "sha256": digest}

    def forget(self) -> None:
        """Remove what is kept."""
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

    def _keep(self, name: str, entry: Entry, size: int, checksum: int, ties: int) -> None:
        self.entries[name] = entry
        self.ties += ties
        self._sums.append((size, checksum))

    def _take_up(self, data: BinaryIO, notes: BinaryIO) -> int:
        """Read what was noted, as far as the data bear it out; return the bytes of those notes."""
        whole = 0
        for line in notes:
            try:
                known = json.loads(line)
                if not whole:
                    if known["key"] != self.key:
                        break
                    self.plan = known["plan"]
                else:
                    stream = data.read(known["size"])
                    if (len(stream), zlib.crc32(stream)) != (known["size"], known["sum"]):
                        break
                    self._keep(
                        known["name"], known["entry"], known["size"], known["sum"], known["ties"]
                    )
            except (ValueError, KeyError, TypeError):  # the last line was cut off
                break
            whole += len(line)
        data.truncate(self.size)
        return whole

    def _streams(self) -> Iterator[bytes]:
        with self._data.open("rb") as data:
            for size, checksum in self._sums:
                found = 0
                for at in range(0, size, AT_ONCE):
                    piece = data.read(min(AT_ONCE, size - at))
                    found = zlib.crc32(piece, found)
                    yield piece
                if found != checksum:
                    self.forget()
                    raise ArtifactError(
                        f"Something else wrote beside {self.output} meanwhile: start again."
                    )


@contextmanager
def write_errors(output: Path) -> Iterator[None]:
    """Say in one sentence where `output` cannot be written."""
    try:
        yield
    except OSError as error:
        raise ArtifactError(
            f"Cannot write {output}: {error.strerror}. Make room or choose another place."
        ) from None
