"""Fixtures of this folder."""

from tests.custom.conftest import forgotten

__all__ = ["forgotten"]
