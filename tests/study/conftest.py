"""Fixtures shared with the experiments."""

from tests.experiments.conftest import brief, one_thread, small
from tests.measuring import lenet5

__all__ = ["brief", "lenet5", "one_thread", "small"]
