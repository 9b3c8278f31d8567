"""Checked access to the entries of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import InputError
from workbench.recipe.schema import brief

LARGEST = 10**9
"""No size of a layer is larger; a larger one is a mistake."""

ALIASES = {
    "hidden_size": ("n_embd", "d_model", "n_embed"),
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "num_attention_heads": ("n_head", "n_heads", "num_heads"),
    "num_key_value_heads": ("num_kv_heads",),
    "intermediate_size": ("n_inner", "ffn_dim", "ffn_hidden_size"),
    "max_position_embeddings": ("n_positions", "max_seq_len", "seq_length"),
    "experts": ("num_local_experts", "num_experts", "n_routed_experts"),
}
"""Other names of the same size in older configurations."""


class Fields:
    """The entries of a configuration; a missing or odd one is an `InputError` with its name."""

    def __init__(self, entries: Mapping[str, Any], family: str) -> None:
        self.entries = entries
        self.family = family

    def get(self, name: str) -> Any:
        """Return the entry of that name or of its older names, or None."""
        for key in (name, *ALIASES.get(name, ())):
            if self.entries.get(key) is not None:
                return self.entries[key]
        return None

    def size(
        self, name: str, default: int | None = None, least: int = 1, most: int = LARGEST
    ) -> int:
        """Return an integer from `least` to `most`.

        Raises
        ------
        InputError
            If it is missing and has no default, is no integer, or is too small or too large.
        """
        value = self.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            raise InputError(
                f"The configuration has no {name}; add it, or pass the complete config.json.",
                code="plan.config_incomplete",
            )
        is_integer = (
            isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
        )
        if not is_integer or not least <= value <= most:
            raise InputError(
                f"{name} must be an integer from {least} to {most:,}, not {brief(value)}.",
                code="plan.config_size",
            )
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false.

        Raises
        ------
        InputError
            If the entry is anything else.
        """
        value = self.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise InputError(
                f"{name} must be true or false, not {brief(value)}.", code="plan.config_flag"
            )
        return value

    def names(self, name: str, count: int) -> list[str] | None:
        """Return a list of `count` words, or None if there is no such entry.

        Raises
        ------
        InputError
            If the entry is anything else.
        """
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != count:
            raise InputError(
                f"{name} must be a list with one entry for each of the {count} layers.",
                code="plan.config_layers",
            )
        return [str(item) for item in value]
