"""Small readable implementations of architectures, and those of transformers if installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from _architectures.architecture import Architecture

FIXTURES = ("feedforward", "residual", "mobile", "attention", "sequences", "fields")
FOREIGN = "hugging_face"


def fixtures() -> list[Architecture]:
    """Return the networks that need only PyTorch."""
    return [architecture for module in FIXTURES for architecture in _load(module)]


def foreign() -> list[Architecture]:
    """Return the networks of transformers, or none if it is not installed."""
    return _load(FOREIGN) if find_spec("transformers") else []


def _load(module: str) -> list[Architecture]:
    architectures: list[Architecture] = import_module(f"{__name__}.{module}").ARCHITECTURES
    return architectures


def named(name: str) -> Architecture:
    """Return the architecture called `name`."""
    return next(a for a in (*fixtures(), *foreign()) if a.name == name)
