"""Exact sizes of the key and value cache."""

from __future__ import annotations

from workbench.planner.architecture import Architecture


def cached_elements(architecture: Architecture, tokens: int) -> int:
    """Return the elements that a sequence of `tokens` keeps in all layers.

    Layers with a window keep at most that many tokens, latent attention keeps one vector per
    token, and a recurrence keeps its state.
    """
    return sum(
        block.count * (block.mixer.cached * block.mixer.attended(tokens) + block.mixer.state)
        for block in architecture
    )


def elements_per_token(architecture: Architecture, tokens: int = 1) -> int:
    """Return the elements that the last of `tokens` adds to the cache.

    A layer whose window is full adds nothing.
    """
    return cached_elements(architecture, tokens) - cached_elements(architecture, tokens - 1)
