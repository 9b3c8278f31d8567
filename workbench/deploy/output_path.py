"""Where a package is written: a file with its manifest next to it, or a folder."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.artifact.writing import CHOOSE_ANOTHER, NEW_PREFIX, check_writable, write_together
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.target import Target
from workbench.errors import FileError, InputError, file_errors

MANIFEST = "manifest.json"
FORMATS = "workbench-package/"
"""How the formats of all versions begin."""
SCRIPTS = ("run.py", "requirements.txt")


def network_name(target: Target) -> str:
    """Return the name of a network's file in a folder."""
    return f"model{RUNTIMES[target.runtime].suffix}"


def check_output(path: Path, target: Target) -> bool:
    """Check that a package can be written to `path`; return whether it is a file and not a folder.

    Raises
    ------
    FileError
        If nothing can be written there, or a folder has files of a package's names without being
        a package.
    InputError
        If the path ends like the file of another runtime.
    """
    suffix = RUNTIMES[target.runtime].suffix
    if path.suffix == suffix:
        check_writable(path)
        check_writable(Path(f"{path}.json"))
        return True
    if path.suffix in {runtime.suffix for runtime in RUNTIMES.values()} - {suffix}:
        title = RUNTIMES[target.runtime].title
        raise InputError(
            f"{path} ends in {path.suffix}, and the network of {title} is a {suffix} file: name "
            "such a file, or a folder.",
            code="deploy.other_suffix",
        )
    with file_errors("write", path, CHOOSE_ANOTHER):
        _check_folder(path, (*SCRIPTS, MANIFEST, network_name(target)))
    return False


def _check_folder(path: Path, names: Sequence[str]) -> None:
    if path.is_dir():
        present = [name for name in names if os.path.lexists(path / name)]
        if present and _earlier_network(path) is None:
            raise FileError(
                f"{path} has a file {present[0]} that is not of a package: choose another folder.",
                code="deploy.folder_in_use",
            )
        check_writable(path / MANIFEST)
        return
    if os.path.lexists(path):
        raise FileError(
            f"{path} is not a folder: choose another place.", code="deploy.not_a_folder"
        )
    parent = next(parent for parent in path.absolute().parents if parent.exists())
    check_writable(parent / path.name)


def write_folder(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write files to a folder, by name: all of them, or none; a new folder appears with them.

    The network of an earlier package in the folder is removed.

    Raises
    ------
    FileError
        If they cannot be written.
    """
    if path.is_dir():
        earlier = _earlier_network(path)
        write_together({path / name: content for name, content in contents.items()})
        if earlier is not None and earlier not in contents:
            (path / earlier).unlink(missing_ok=True)
        return
    with file_errors("write", path, CHOOSE_ANOTHER):
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=NEW_PREFIX))
        try:
            complete = folder / "complete"  # with the usual rights, unlike the folder around it
            complete.mkdir()
            for name, content in contents.items():
                (complete / name).write_bytes(content)
            complete.replace(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _earlier_network(folder: Path) -> str | None:
    """Return the name of the network of a package in `folder`; None if there is no package."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        known = str(manifest["format"]).startswith(FORMATS)
        return network_name(Target(manifest["target"]["runtime"])) if known else None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
