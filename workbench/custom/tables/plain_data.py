"""Frozen data classes as plain data for JSON, and back: every value of a file is checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: Any) -> dict[str, Any]:
    """Return a data class as plain data, without the fields that have their default value."""
    return {
        field.name: _as_plain(getattr(value, field.name))
        for field in fields(value)
        if getattr(value, field.name) != field.default
    }


def from_plain(cls: Callable[..., T], data: Any) -> T:
    """Return an instance of a data class; the inverse of `to_plain`.

    Raises
    ------
    ValueError
        If a field without a default is missing, one is unknown or of another type, or a number is
        not finite.
    """
    hints, required = _fields(cls)
    if not isinstance(data, dict) or not required <= data.keys() <= hints.keys():
        raise ValueError(str(cls))
    return cls(**{name: _value(hints[name], value) for name, value in data.items()})


@cache
def _fields(cls: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the types of the fields by name, and the names of those without a default."""
    hints = get_type_hints(cls)
    known = fields(cls)
    required = frozenset(field.name for field in known if field.default is MISSING)
    return {field.name: hints[field.name] for field in known}, required


def _as_plain(value: Any) -> Any:
    if is_dataclass(value):
        return to_plain(value)
    return [_as_plain(item) for item in value] if isinstance(value, tuple) else value


def _value(hint: Any, value: Any) -> Any:
    if get_origin(hint) is tuple:
        if isinstance(value, list | tuple):
            return tuple(_value(get_args(hint)[0], item) for item in value)
    elif isinstance(hint, type) and is_dataclass(hint):
        return from_plain(hint, value)
    elif hint is float and type(value) in {int, float} and math.isfinite(value):
        return float(value)
    elif hint is not float and type(value) is hint:
        return value
    raise ValueError(str(hint))
