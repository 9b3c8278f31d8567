"""How a file says that it holds the tensors of another file, and no model."""

from __future__ import annotations

TENSOR_FILE_PREFIX = "file:"
"""What the name of a model begins with that is no built-in one but came from a file."""
