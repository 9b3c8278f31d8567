"""Frozen data classes from plain data that may come from a file: every value is checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def from_plain(cls: Callable[..., T], data: Any) -> T:
    """Return an instance of a data class from what `dataclasses.asdict` made of one.

    Raises
    ------
    ValueError
        If a field is missing, unknown or of another type, or a number is not finite.
    """
    hints = _hints(cls)
    if not isinstance(data, dict) or data.keys() != hints.keys():
        raise ValueError(str(cls))
    return cls(**{name: _value(hint, data[name]) for name, hint in hints.items()})


@cache
def _hints(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


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
