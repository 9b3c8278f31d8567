"""Reads the sizes of a language model from its `config.json`."""

from workbench.planner.architectures.read import read_architecture

__all__ = ["read_architecture"]
