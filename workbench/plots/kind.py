"""A part of a stacked bar."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of bytes: its field in the data, its label, and a pattern in addition to the color."""

    field: str
    label_id: str
    pattern: str
