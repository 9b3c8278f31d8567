"""Fixtures shared with the experiments."""

from tests.experiments.conftest import brief, one_thread, small

__all__ = ["brief", "one_thread", "small"]
