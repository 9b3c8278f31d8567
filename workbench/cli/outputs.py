"""The output of a command, which must not replace one of its inputs."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.artifact.writing import check_writable
from workbench.cli.models import source

INPUTS = ("chip", "config", "data", "file", "model", "module", "original", "recipe", "rows")
"""Positional arguments and options that may name a file to read."""


def check_output(options: argparse.Namespace) -> None:
    """Check before a command runs that its output is none of its inputs.

    Raises
    ------
    FileError
        If it is, or if the present file cannot be replaced.
    """
    given = vars(options)
    output = given.get("output")
    if output and _is_file(Path(output)):
        texts = [given[name] for name in INPUTS if isinstance(given.get(name), str)]
        check_writable(output, filter(_is_file, map(source, texts)))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a recipe in JSON is too long for a name
        return False
