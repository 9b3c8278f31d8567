"""Fixtures of the tests of calibration."""

from tests.measuring import shortened

__all__ = ["shortened"]
