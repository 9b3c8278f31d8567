"""The command `inspect`: a table or pictures before training, or the tensors of a file."""

from __future__ import annotations

import argparse
from itertools import chain
from pathlib import Path
from typing import Any

from workbench.artifact.foreign_files import is_index, is_weights_file
from workbench.cli import checkpoints, tables
from workbench.cli.command_options import add_encoding, names
from workbench.cli.recipes import add_recipe

TABLES = (
    *(".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".arff", ".gz", ".xls", ".xlsx", ".ods"),
    *(".parquet", ".json", ".html"),
)
"""The names of tables end so; those that are not read are answered with what to do."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a table (.csv), pictures (.zip or a folder), a tensor file, or a compressed file",
    )
    add_recipe(parser, "a tensor file is described without one")
    parser.add_argument(
        "--original",
        metavar="FILE",
        help="the tensor file that was compressed, to show how far its tensors changed",
    )
    group = parser.add_argument_group("tables")
    group.add_argument("--target", metavar="COLUMN", help="the column to predict (default: last)")
    kind = group.add_mutually_exclusive_group()
    kind.add_argument("--number", action="store_true", help="predict the target as a number")
    kind.add_argument("--classes", action="store_true", help="predict the target as classes")
    group.add_argument(
        "--leave-out", type=names, metavar="A,B", default=(), help="columns that are not used"
    )
    add_encoding(group)
    first = group.add_mutually_exclusive_group()
    first.add_argument("--header", action="store_true", help="the first line holds names")
    first.add_argument("--no-header", action="store_true", help="the first line holds data")


def inspect(options: argparse.Namespace) -> dict[str, Any]:
    """Inspect a table, pictures, a tensor file or a compressed file."""
    path = Path(options.file)
    if path.suffix.lower() in TABLES and not is_index(path.name):
        return {"file": options.file, **_table(options)}
    if holds_pictures(path):
        from workbench.custom.pictures.learn import inspect_pictures

        return {"file": options.file, **inspect_pictures(path).as_dict()}
    return checkpoints.inspect(options)


def show(result: dict[str, Any]) -> None:
    """Print what was found."""
    if "rows_read" in result:
        from workbench.custom.tables.as_text import as_text

        print(as_text(result))
    elif "pictures_used" in result:
        tables.pictures(result)
    else:
        tables.inspection(result)


def holds_pictures(path: Path) -> bool:
    """Whether a path is read as pictures: an archive, or a folder without files of weights."""
    if path.is_dir():
        entries = chain(path.glob("*"), path.glob("*/*"))  # pipelines have a folder per model
        return not any(is_weights_file(entry.name) for entry in entries)
    return path.suffix.lower() == ".zip"


def _table(options: argparse.Namespace) -> dict[str, Any]:
    from workbench.custom.tables.inspect import inspect_table

    return inspect_table(
        options.file,
        options.target,
        either(options.number, options.classes),
        options.leave_out,
        either(options.header, options.no_header),
        encoding=options.encoding,
    ).as_dict()


def either(yes: bool, no: bool) -> bool | None:
    """Return what two options that exclude each other say; None if neither is given."""
    return True if yes else False if no else None
