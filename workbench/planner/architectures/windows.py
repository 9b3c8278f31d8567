"""Which layers read a limited window of tokens, by the rules of transformers."""

from __future__ import annotations

from workbench.planner.architectures.fields import Fields
from workbench.planner.architectures.style import Style

SWITCHED = frozenset({"qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "smollm3"})
"""Families whose window counts only if `use_sliding_window` is true."""
PATTERNS = {"gemma3_text": 6, "cohere2": 4, "olmo3": 4}
"""Each n-th layer of these families reads the complete context."""


def window(fields: Fields, style: Style, index: int, types: list[str] | None) -> int | None:
    """Return how many tokens a layer reads, or None for all.

    Parameters
    ----------
    fields, style
        The configuration and the properties of its family.
    index
        The layer, from 0.
    types
        The kind of each layer, if the configuration lists them.
    """
    if not fields.get("sliding_window"):
        return None
    if types:
        is_windowed = types[index] in {"sliding_attention", "chunked_attention"}
    elif fields.family in SWITCHED and not fields.flag("use_sliding_window", default=False):
        is_windowed = False
    else:
        is_windowed = _by_rule(fields, style, index)
    return fields.size("sliding_window") if is_windowed else None


def _by_rule(fields: Fields, style: Style, index: int) -> bool:
    """Return whether a layer has a window in a configuration that does not list its layers."""
    if style.windowed == "pattern":
        return (index + 1) % fields.size("sliding_window_pattern", PATTERNS[fields.family]) != 0
    if style.windowed == "unrotated":
        rotated = fields.get("no_rope_layers")
        if isinstance(rotated, list) and index < len(rotated):
            return not rotated[index]
        return (index + 1) % fields.size("no_rope_layer_interval", 4) == 0
    if style.windowed in {"late", "early"}:
        first = fields.size("max_window_layers", 28, 0)
        return index >= first if style.windowed == "late" else index < first and index % 2 == 0
    return style.windowed == "all" or (style.windowed == "alternate" and index % 2 == 0)
