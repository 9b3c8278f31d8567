"""Compression as pure functions on named tensors: prune, then quantise, then encode."""
