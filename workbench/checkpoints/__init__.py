"""Checkpoints: makes those of the built-in models, from scratch and reproducibly."""
