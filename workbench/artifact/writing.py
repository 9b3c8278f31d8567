"""Files that are written completely or not at all, and checks of paths before that."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from workbench.errors import FileError, file_errors

CHOOSE_ANOTHER = " Choose another place."
NEW_PREFIX = ".workbench-"
"""How the names of files begin that are not complete yet."""


def write_atomic(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file completely or not at all, and return its path.

    Raises
    ------
    FileError
        If the folder does not exist or cannot be written.
    """
    write_together({Path(path): content})
    return Path(path)


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files completely, and none of them if one of them cannot be written.

    Earlier files are replaced one after the other, in the order of `contents`, once the content of
    all of them is on the disk.

    Raises
    ------
    FileError
        If a folder does not exist or cannot be written.
    """
    temporaries: dict[Path, Path] = {}
    try:
        for target, content in contents.items():
            handle, name = _open_temporary(target)
            temporaries[target] = temporary = Path(name)
            with file_errors("write", target, CHOOSE_ANOTHER):
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                mode = target.stat().st_mode if target.exists() else 0o666 & ~_umask()
                temporary.chmod(mode & 0o777)
        for target, temporary in temporaries.items():
            with file_errors("write", target, CHOOSE_ANOTHER):
                temporary.replace(target)
    finally:
        for temporary in temporaries.values():
            temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str], inputs: Iterable[Path] = ()) -> None:
    """Check before long work starts that a file can be saved to `path`, and is none of `inputs`.

    Raises
    ------
    FileError
        If `path` cannot be written or is an input.
    """
    target = Path(path)
    with file_errors("write", target, CHOOSE_ANOTHER):
        present = target.exists()
        if present and any(source.exists() and target.samefile(source) for source in inputs):
            raise FileError(
                f"{target} is an input: choose another output.", code="file.output_is_input"
            )
    handle, temporary = _open_temporary(target)
    os.close(handle)
    Path(temporary).unlink()


def _open_temporary(target: Path) -> tuple[int, str]:
    """Create a temporary file in the folder of `target` that can replace it."""
    with file_errors("write", target, CHOOSE_ANOTHER):
        if target.is_dir():
            raise FileError(f"{target} is a folder: name a file in it.", code="file.is_a_folder")
        if target.exists() and not target.is_file():  # a device would be replaced
            raise FileError(
                f"{target} is not a regular file: name another.", code="file.not_a_regular_file"
            )
        return tempfile.mkstemp(dir=target.parent, prefix=NEW_PREFIX)


def check_regular(path: Path) -> None:
    """Raise `FileError` if `path` exists and is not a regular file: a device may never end."""
    if path.is_dir():
        raise FileError(f"{path} is a folder: name a file in it.", code="file.is_a_folder")
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is not a regular file.", code="file.not_a_regular_file")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
