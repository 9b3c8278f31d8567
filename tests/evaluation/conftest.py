"""Fixtures of this folder."""

from tests.measuring import fingerprint, lenet5, one_thread, recipes, shortened, small, store

__all__ = ["fingerprint", "lenet5", "one_thread", "recipes", "shortened", "small", "store"]
