"""Naming of artifacts that were made from a tensor file instead of a model."""

from __future__ import annotations

TENSOR_FILE_PREFIX = "file:"
"""Prefix of the model name in an artifact that was made from a tensor file."""
