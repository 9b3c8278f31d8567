"""Search over recipes: holding a file size."""

from workbench.study.fixed_size import hold_size

__all__ = ["hold_size"]
