"""Recipes on the command line: ``--recipe``, and one option for each field of each part."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from workbench.errors import FileError
from workbench.recipe import Recipe
from workbench.recipe.recipe import PARTS
from workbench.recipe.schema import FieldSpec, specs

SEPARATOR = "."
READERS: dict[str, Callable[[str], Any]] = {"real": float, "integer": int, "layers": float}
"""How to read a value, by the kind of its field; any other kind is text."""


def add_recipe(parser: argparse.ArgumentParser, empty: str) -> None:
    """Add ``--recipe``; `empty` says what happens without one."""
    parser.add_argument(
        "--recipe", metavar="FILE-or-JSON", help=f"the recipe; without one, {empty}"
    )


def add_parts(parser: argparse.ArgumentParser, parts: Iterable[str]) -> None:
    """Add an option such as ``--prune.sparsity`` for each field of some parts of a recipe.

    The usage line does not list them: call this after all other options have been added.
    """
    usage = parser.format_usage().removeprefix("usage: ").rstrip()
    parser.usage = f"{usage} [--PART.FIELD VALUE ...]".replace("%", "%%")
    for part in parts:
        group = parser.add_argument_group(f"recipe: {part}")
        defaults = {field.name: field.default for field in fields(PARTS[part])}
        for field in specs(PARTS[part]):
            name = f"{part}{SEPARATOR}{field.name}"
            group.add_argument(f"--{name}", dest=name, **option(field, defaults[field.name]))


def option(field: FieldSpec, default: Any) -> dict[str, Any]:
    """Return the arguments of `add_argument` for a field of a recipe and its default value.

    The recipe checks the values, with a better message than argparse.
    """
    if field.choices:
        values = "{" + ",".join(str(choice.value) for choice in field.choices) + "}"
        reader: Callable[[str], Any] = type(field.choices[0].value)
    else:
        bounded = field.high > field.low
        values = f"{field.low:.10g}..{field.high:.10g}" if bounded else field.kind.upper()
        reader = READERS.get(field.kind, str)
    text = field.help
    if isinstance(default, int | float | str) and default != "":
        text += f" Default: {default}."
    aliases = [f"{c.alias} for {c.value}" for c in field.choices if c.alias]
    if aliases:
        text += f" Also: {', '.join(aliases)}."
    settings = {"help": text.replace("%", "%%"), "metavar": values, "type": reader}
    if field.kind == "layers":
        return settings | {"nargs": "+", "metavar": f"LAYER={values}", "type": _entry_of(reader)}
    return settings | ({"nargs": "+", "metavar": "LAYER"} if field.kind == "names" else {})


def _entry_of(reader: Callable[[str], Any]) -> Callable[[str], tuple[str, Any]]:
    def entry(text: str) -> tuple[str, Any]:
        name, _, value = text.rpartition("=")
        try:
            return name, reader(value)
        except ValueError:
            raise argparse.ArgumentTypeError(f"give LAYER=NUMBER, not {text!r}") from None

    return entry


def read_recipe(options: argparse.Namespace) -> Recipe:
    """Return the recipe of ``--recipe`` with the fields that other options set.

    Raises
    ------
    RecipeError
        If it is invalid.
    FileError
        If ``--recipe`` is neither JSON nor a readable file.
    """
    recipe = _of_text(options.recipe)
    settings: dict[str, dict[str, Any]] = {}
    for name, value in vars(options).items():
        part, separator, field = name.partition(SEPARATOR)
        if separator and value is not None:
            is_map = isinstance(value, list) and isinstance(value[0], tuple)
            settings.setdefault(part, {})[field] = dict(value) if is_map else value
    if not settings:
        return recipe
    parts = recipe.as_dict()
    return Recipe.from_json(parts | {key: parts.get(key, {}) | settings[key] for key in settings})


def _of_text(text: str | None) -> Recipe:
    """Read a recipe from JSON text or from a file."""
    if text is None:
        return Recipe()
    if text.lstrip().startswith(("{", "[")) or not text.strip():
        return Recipe.from_json(text)
    try:
        content = Path(text).read_bytes()
    except OSError as error:
        raise FileError(
            f"{text!r} is neither a recipe in JSON nor a readable file: {error.strerror}.",
            code="cli.recipe_not_found",
        ) from None
    return Recipe.from_json(content)
