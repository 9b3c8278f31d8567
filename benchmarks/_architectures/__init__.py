"""Architectures as small readable networks, and those of transformers where that is installed."""
