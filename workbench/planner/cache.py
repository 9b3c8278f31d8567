"""Exact sizes of the key and value cache."""

from __future__ import annotations

from math import ceil

from workbench.planner.architecture import Architecture, Mixer


def cached_elements(architecture: Architecture, tokens: int, tensor: int = 1) -> int:
    """Return the elements that a sequence of `tokens` keeps in all layers, on one chip.

    Layers with a window keep at most that many tokens, latent attention keeps one vector per
    token, and a recurrence keeps its state. Of `tensor` chips that share the matrices, each keeps
    complete heads for keys and values, at least one, and the complete latent vectors.
    """
    return sum(
        block.count * (_per_token(block.mixer, tensor) * block.mixer.attended(tokens))
        + block.count * ceil(block.mixer.state / tensor)
        for block in architecture
    )


def _per_token(mixer: Mixer, tensor: int) -> int:
    """Return the elements that a token adds on one of `tensor` chips."""
    if mixer.kind != "attention" or not mixer.kv_heads:
        return mixer.cached
    return mixer.cached // mixer.kv_heads * ceil(mixer.kv_heads / tensor)


def elements_per_token(architecture: Architecture, tokens: int = 1) -> int:
    """Return the elements that the last of `tokens` adds to the cache.

    A layer whose window is full adds nothing.
    """
    return cached_elements(architecture, tokens) - cached_elements(architecture, tokens - 1)
