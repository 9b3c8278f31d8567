"""The files of a source by kind: pictures to read, and files that are not used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from workbench.cancel import CancelToken
from workbench.custom.pictures.files import Files
from workbench.custom.pictures.inspection import IgnoredFiles
from workbench.custom.pictures.kinds import HEAD_BYTES, PICTURE, kind_of, reason
from workbench.custom.pictures.masks import masks_of

EXAMPLES = 3


@dataclass
class Listing:
    """The pictures and the other files of a source, by kind."""

    pictures: list[PurePosixPath] = field(default_factory=list)
    ignored: dict[str, list[PurePosixPath]] = field(default_factory=dict)

    def ignore(self, kind: str, paths: Iterable[PurePosixPath]) -> None:
        """Move pictures to the files that are not used."""
        paths = set(paths)
        if paths:
            self.pictures = [path for path in self.pictures if path not in paths]
            self.ignored.setdefault(kind, []).extend(sorted(paths))

    def summary(self) -> tuple[IgnoredFiles, ...]:
        """Return the files that are not used, the most first."""
        return tuple(
            IgnoredFiles(kind, reason(kind), len(paths), tuple(map(str, paths[:EXAMPLES])))
            for kind, paths in _by_count(self.ignored)
        )


def _by_count(
    ignored: Mapping[str, list[PurePosixPath]],
) -> list[tuple[str, list[PurePosixPath]]]:
    return sorted(ignored.items(), key=lambda item: (-len(item[1]), item[0]))


def list_files(files: Files, cancel: CancelToken) -> Listing:
    """Sort the files of a source by kind; damaged pictures stay where their folders are needed."""
    listing = Listing()
    for path in files.paths:
        cancel.check()
        kind = kind_of(path, files.head(path, HEAD_BYTES))
        if kind == PICTURE:
            listing.pictures.append(path)
        else:
            listing.ignored.setdefault(kind, []).append(path)
    listing.ignore("mask", masks_of(files, listing.pictures))
    return listing
