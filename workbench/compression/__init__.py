"""Compression as pure functions on named tensors: prune, then quantize, then encode."""
