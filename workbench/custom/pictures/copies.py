"""Files that a copy of the class folders repeats."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

from workbench.cancel import CancelToken
from workbench.custom.pictures.files import Files, TooLongError, UnreadableError
from workbench.custom.pictures.folders import Structure


def copies_of(files: Files, structure: Structure, cancel: CancelToken) -> set[PurePosixPath]:
    """Return the pictures of merged folders with the content of another one of their class.

    Parameters
    ----------
    files
        The files of the source.
    structure
        What its folders say; without merged folders no file is read.
    cancel
        Checked between two files.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two files.
    """
    copied = {path for merged in structure.merged for path in merged.paths}
    if not copied:
        return set()
    seen: set[tuple[str, str | None, bytes]] = set()
    result = set()
    for path in sorted(structure.classes, key=lambda path: (path in copied, path)):
        cancel.check()
        try:
            digest = hashlib.sha256(files.content(path)).digest()
        except (TooLongError, UnreadableError):
            continue
        content = (structure.classes[path], structure.splits.get(path), digest)
        if path in copied and content in seen:
            result.add(path)
        seen.add(content)
    return result
