"""Convert a model and its recipe to a short query string, and back.

An example is ``m=fashion/lenet5&prune.sparsity=0.9&quantize.bits=4``. A layer map is written as
``name:0.5,other:0.2`` and a list of names as ``name,other``. Keys of the page itself, such as the
theme, are ignored.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from workbench.errors import RecipeError
from workbench.faults import Faults
from workbench.recipe.recipe import PARTS, Recipe
from workbench.recipe.schema import FieldSpec, brief, specs
from workbench.recipe.version_1 import upgrade_setting

VERSION = "2"
PAGE_KEYS = frozenset(
    {"theme", "template", "lang", "token", "page", "level", "tour", "voila-template", "voila-theme"}
)
MAX_LENGTH = 4096
INTEGER = re.compile(r"-?[0-9]{1,15}")
NUMBER = re.compile(r"-?[0-9]{0,15}\.?[0-9]+(e-?[0-9]{1,3})?")


def to_query(model: str, recipe: Recipe, extra: dict[str, str] | None = None) -> str:
    """Return the query string, without ``?``, that opens `model` with `recipe`."""
    pairs = [("v", VERSION), ("m", model)]
    for part, values in recipe.as_dict().items():
        for name, value in values.items():
            pairs.append((f"{part}.{name}", _format(value)))
    pairs += list((extra or {}).items())
    return urlencode(pairs, safe="/:,", quote_via=quote)


def from_query(
    query: str, extra: frozenset[str] = frozenset()
) -> tuple[str | None, Recipe, dict[str, str]]:
    """Read a query string.

    Returns
    -------
    tuple
        The model's name or None, the recipe, and the values of the `extra` keys.

    Raises
    ------
    RecipeError
        If a key is unknown or given twice, or a value is not allowed. It names all such keys.
    """
    faults = Faults()
    model, recipe, others = read_query(query, extra, faults)
    faults.check()
    return model, recipe, others


def read_query(
    query: str, extra: frozenset[str], faults: Faults
) -> tuple[str | None, Recipe, dict[str, str]]:
    """Read a query string as `from_query` does, and collect what is wrong in `faults`.

    With faults, the recipe is empty.
    """
    model: str | None = None
    data: dict[str, dict[str, Any]] = {}
    others: dict[str, str] = {}
    fields = {f"{key}.{s.name}": s for key, part in PARTS.items() for s in specs(part)}
    seen: dict[str, int] = {}
    pairs: list[tuple[str, str]] = []
    with faults.collected():
        pairs = _pairs(query)
    for key, value in pairs:
        if key in PAGE_KEYS:
            continue
        seen[key] = seen.get(key, 0) + 1
        with faults.collected():
            if seen[key] > 1:
                _refuse_second(key, seen[key])
            elif key == "v":
                _check_version(value)
            elif key == "m":
                model = value
            elif key in extra:
                others[key] = value
            elif key in fields:
                part, name = key.split(".")
                parsed = _parse(part, fields[key], value)
                data.setdefault(part, {})[name] = fields[key].check(parsed, part)
            else:
                raise RecipeError(
                    f"The link has an unknown key {key!r}: remove it.", code="recipe.unknown_key"
                )
    recipe = Recipe()
    if not faults:  # a default in place of a wrong value might not fit the others
        with faults.collected():
            recipe = Recipe.from_json(data)
    return model, recipe, others


def _refuse_second(key: str, count: int) -> None:
    if count == 2:
        raise RecipeError(
            f"The link has the key {key!r} twice: remove one.", code="recipe.duplicate_key"
        )


def _check_version(value: str) -> None:
    if value != VERSION:
        raise RecipeError(
            f"The link has version {value!r}, but this program reads version {VERSION}: set v to "
            f"{VERSION}, or open it with the program that made it.",
            code="recipe.link_version",
        )


def _pairs(query: str) -> list[tuple[str, str]]:
    """Return the keys and values of a query, with present names if it has version 1."""
    if len(query) > MAX_LENGTH:
        raise RecipeError(
            f"The link is longer than {MAX_LENGTH} characters: remove settings of layers.",
            code="recipe.link_too_long",
        )
    pairs = parse_qsl(query.lstrip("?"), keep_blank_values=True)
    return [upgrade_setting(*pair) for pair in pairs] if ("v", "1") in pairs else pairs


def _format(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{_escape(name)}:{number}" for name, number in value.items())
    return ",".join(map(_escape, value)) if isinstance(value, list) else str(value)


def _escape(name: str) -> str:
    return name.replace("%", "%25").replace(",", "%2C")  # a comma separates names


def _parse(part: str, field: FieldSpec, text: str) -> Any:
    if field.kind == "text":
        return text
    if field.kind == "names":
        return [unquote(name) for name in text.split(",") if name]
    if field.kind == "layers":
        pairs = [item.rpartition(":") for item in text.split(",") if item]
        if any(not name for name, _colon, _number in pairs):
            raise RecipeError(
                f"{part}.{field.name} must have a layer and a number, such as fc1.weight:0.5, not "
                f"{brief(text)}.",
                code="recipe.invalid_layer_name",
            )
        return {unquote(name): _number(number) for name, _colon, number in pairs}
    return _number(text)


def _number(text: str) -> int | float | str:
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if NUMBER.fullmatch(text) else text
