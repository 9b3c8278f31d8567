"""Fixtures of this folder."""

from tests.custom.conftest import empty_registry

__all__ = ["empty_registry"]
