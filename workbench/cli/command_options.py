"""The options of commands that no other module describes."""

from __future__ import annotations

import argparse
import csv

from workbench.cli import models, training
from workbench.cli.recipes import add_recipe
from workbench.recipe.off import BY_LAYER

Parser = argparse.ArgumentParser


def names(text: str) -> tuple[str, ...]:
    """Return names that commas separate; one with a comma is in quotation marks.

    Examples
    --------
    >>> names('age, "price, net"')
    ('age', 'price, net')
    """
    parts = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(name.strip() for name in parts if name.strip())


def no_options(parser: Parser) -> None:
    """Add nothing."""


def add_model(parser: Parser, help: str = models.HELP) -> None:
    """Add the model and its recipe."""
    parser.add_argument("model", help=help)
    add_recipe(parser, "nothing is compressed")


def add_split(parser: Parser) -> None:
    """Add the split."""
    parser.add_argument(
        "--split",
        choices=("validation", "test"),
        default="validation",
        help="the examples to measure on (default: validation)",
    )


def add_file(parser: Parser) -> None:
    """Add the compressed file."""
    parser.add_argument("file", metavar="FILE", help="a file made by compress")


def add_output(parser: Parser) -> None:
    """Add the file to write."""
    parser.add_argument("--output", required=True, metavar="FILE", help="the file to write")


def measure(parser: Parser) -> None:
    """Add the options of `measure`."""
    add_model(parser)
    add_split(parser)


def sensitivity(parser: Parser) -> None:
    """Add the options of `sensitivity`."""
    add_model(parser)
    parser.add_argument(
        "--part",
        choices=BY_LAYER,
        default="prune",
        help="the part of the recipe to apply to each layer",
    )
    parser.add_argument(
        "--settings", nargs="+", type=float, metavar="N", help="the settings to try, mildest first"
    )


def compress(parser: Parser) -> None:
    """Add the options of `compress`."""
    add_model(
        parser,
        f"{models.HELP}; or a tensor file: .safetensors, the .index.json of its shards, or their "
        "folder",
    )
    add_output(parser)


def decompress(parser: Parser) -> None:
    """Add the options of `decompress`."""
    add_file(parser)
    add_output(parser)


def to_module(parser: Parser) -> None:
    """Add the options of `to-module`."""
    add_file(parser)
    parser.add_argument(
        "--module",
        metavar="PACKAGE.MODULE:CALLABLE",
        help="returns the network that was compressed, with any weights; by default, the built-in "
        "model that the file names",
    )
    add_output(parser)


def train(parser: Parser) -> None:
    """Add the options of `train`."""
    parser.add_argument("model", help=models.HELP)
    training.add_options(parser, distilling=False)


def distill(parser: Parser) -> None:
    """Add the options of `distill`."""
    parser.add_argument("model", help=f"the student: {models.HELP}")
    training.add_options(parser, distilling=True)


def evaluate(parser: Parser) -> None:
    """Add the options of `evaluate`."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="files made by compress")
    models.add_model_of_file(parser)
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="new rows or pictures with known values, for files of models of your own data",
    )
    add_encoding(parser)
    add_split(parser)


def add_encoding(parser: Parser | argparse._ArgumentGroup) -> None:
    """Add the option for the encoding of a table."""
    parser.add_argument(
        "--encoding",
        metavar="NAME",
        help="the encoding of a table, such as utf-8, cp1252 or mac-roman (default: it is found)",
    )


def compare(parser: Parser) -> None:
    """Add the options of `compare`."""
    parser.add_argument("before", metavar="A", help="a tensor file, or one made by compress")
    parser.add_argument("after", metavar="B", help="the file whose tensors are compared to it")
