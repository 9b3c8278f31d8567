"""Architectures as small readable networks, and those of transformers where that is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from _architectures.architecture import Architecture

FIXTURES = ("plain", "residual", "mobile", "attention", "sequences", "fields")
FOREIGN = "hugging_face"


def fixtures() -> list[Architecture]:
    """Return the networks that need nothing but PyTorch."""
    return [one for part in FIXTURES for one in _of(part)]


def foreign() -> list[Architecture]:
    """Return those of transformers; none where it is not installed."""
    return _of(FOREIGN) if find_spec("transformers") else []


def _of(part: str) -> list[Architecture]:
    found: list[Architecture] = import_module(f"{__name__}.{part}").ARCHITECTURES
    return found


def named(name: str) -> Architecture:
    """Return the architecture of a name."""
    return next(one for one in (*fixtures(), *foreign()) if one.name == name)
