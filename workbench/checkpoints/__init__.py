"""Reproducible training of the checkpoints of the built-in models."""
