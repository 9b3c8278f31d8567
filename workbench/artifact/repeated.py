"""Tensors that are coded like an earlier one, such as tied ones: their stream is stored once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from workbench.compression.codecs.stream import SAME_KEY, Entry, own_entry, parts
from workbench.compression.coded import Coded, CodedBase

MIN_BYTES = 1024
"""Shorter streams are stored again: naming another tensor takes bytes, too."""
SAMPLE = 1000


def entry_key(entry: Entry) -> str:
    """Return the same text for equal entries."""
    return json.dumps(entry)


def mark_repeated(entries: dict[str, Entry], tensors: Mapping[str, Coded]) -> None:
    """Let each entry whose tensor is coded like an earlier one name that tensor."""
    alike: dict[tuple[str, bytes], list[str]] = {}
    for name, entry in entries.items():
        if parts(entry).total < MIN_BYTES:
            continue
        firsts = alike.setdefault((entry_key(entry), _sample(tensors[name])), [])
        first = next((n for n in firsts if _equal(tensors[n], tensors[name])), None)
        if first is None:
            firsts.append(name)
        else:
            entries[name] = {**entry, SAME_KEY: first}


def is_valid_repetition(name: str, entries: Mapping[str, Any]) -> bool:
    """Whether an entry names an earlier tensor with its own stream and an equal entry."""
    entry = entries[name]
    first = entries.get(entry[SAME_KEY]) if isinstance(entry[SAME_KEY], str) else None
    return first is not None and SAME_KEY not in first and own_entry(entry) == first


def _equal(first: object, second: object) -> bool:
    """Whether two values of equal entries are coded alike."""
    if isinstance(first, CodedBase) and isinstance(second, CodedBase):
        return all(map(_equal, _values(first), _values(second)))
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.array_equal(first, second)
    return first == second


def _sample(coded: CodedBase) -> bytes:
    """Return the first numbers of each array: they nearly always suffice to see a difference."""
    return b"".join(
        value[:SAMPLE].tobytes() if isinstance(value, np.ndarray) else _sample(value)
        for value in _values(coded)
        if isinstance(value, np.ndarray | CodedBase)
    )


def _values(coded: CodedBase) -> list[object]:
    return [getattr(coded, field.name) for field in fields(coded)]  # type: ignore[arg-type]
