"""A model and its recipe as a short query string, and back.

``m=fashion/lenet5&prune.sparsity=0.9&quantize.bits=4``; a layer map is ``name:0.5,other:0.2``
and a list of names is ``name,other``. Keys of the page itself (theme, language) are ignored.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from workbench.errors import RecipeError
from workbench.recipe.recipe import PARTS, Recipe
from workbench.recipe.schema import FieldSpec, specs

VERSION = "1"
PAGE_KEYS = frozenset({"theme", "template", "lang", "token", "voila-template", "voila-theme"})
MAX_LENGTH = 4096
PLAIN_INTEGER = re.compile(r"-?[0-9]{1,15}")
PLAIN_NUMBER = re.compile(r"-?[0-9]{0,15}\.?[0-9]+(e-?[0-9]{1,3})?")


def to_query(model: str, recipe: Recipe, extra: dict[str, str] | None = None) -> str:
    """Return the query string (without ``?``) that opens `model` with `recipe`."""
    pairs = [("v", VERSION), ("m", model)]
    for part, values in recipe.as_dict().items():
        for name, value in values.items():
            pairs.append((f"{part}.{name}", _text(value)))
    pairs += list((extra or {}).items())
    return urlencode(pairs, safe="/:,", quote_via=quote)


def from_query(
    query: str, extra: frozenset[str] = frozenset()
) -> tuple[str | None, Recipe, dict[str, str]]:
    """Read a query string: the model's name (None if absent), the recipe, and the `extra` keys.

    Raises
    ------
    RecipeError
        When a key is unknown, given twice, or its value is not allowed.
    """
    if len(query) > MAX_LENGTH:
        raise RecipeError(f"The link is longer than {MAX_LENGTH} characters.")
    model: str | None = None
    chosen: dict[str, dict[str, Any]] = {}
    others: dict[str, str] = {}
    described = {f"{key}.{s.name}": s for key, part in PARTS.items() for s in specs(part)}
    seen: set[str] = set()
    for key, value in parse_qsl(query.lstrip("?"), keep_blank_values=True):
        if key in PAGE_KEYS:
            continue
        if key in seen:
            raise RecipeError(f"The link gives {key!r} twice.")
        seen.add(key)
        if key == "v":
            if value != VERSION:
                raise RecipeError(f"The link is of version {value!r}; this is version {VERSION}.")
        elif key == "m":
            model = value
        elif key in extra:
            others[key] = value
        elif key in described:
            part, name = key.split(".")
            chosen.setdefault(part, {})[name] = _value(described[key], value)
        else:
            raise RecipeError(f"The link has an unknown key {key!r}.")
    return model, Recipe.from_json(chosen), others


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{_hidden(name)}:{number}" for name, number in value.items())
    return ",".join(map(_hidden, value)) if isinstance(value, list) else str(value)


def _hidden(name: str) -> str:
    return name.replace("%", "%25").replace(",", "%2C")  # a comma ends a name


def _value(field: FieldSpec, text: str) -> Any:
    if field.kind == "text":
        return text
    if field.kind == "names":
        return [unquote(name) for name in text.split(",") if name]
    if field.kind == "layers":
        pairs = (item.rpartition(":") for item in text.split(",") if item)
        return {unquote(name): _number(number) for name, _, number in pairs}
    return _number(text)


def _number(text: str) -> int | float | str:
    if PLAIN_INTEGER.fullmatch(text):
        return int(text)
    return float(text) if PLAIN_NUMBER.fullmatch(text) else text
