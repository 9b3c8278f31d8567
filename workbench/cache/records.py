"""Frozen dataclasses as plain data for a cache, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def to_record(value: Any) -> dict[str, Any]:
    """Return plain data for JSON from which `from_record` makes the dataclass again."""
    return asdict(value)


def from_record(kind: Any, data: Any) -> Any:
    """Return an object of the type `kind`: dataclasses, tuples, mappings, and plain values.

    Raises
    ------
    KeyError
        If a field is missing.
    """
    if data is None:
        return None
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        values = {
            field.name: from_record(hints[field.name], data[field.name]) for field in fields(kind)
        }
        return kind(**values)  # type: ignore[operator]
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return from_record(next(part for part in parts if part is not NoneType), data)
    if origin is tuple:
        kinds = [parts[0]] * len(data) if parts[-1] is Ellipsis else parts
        return tuple(from_record(*pair) for pair in zip(kinds, data, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: from_record(parts[1], value) for key, value in data.items()}
    return data
