"""What a field of a recipe is called on the page and in pictures."""

from __future__ import annotations

from workbench.recipe.recipe import PARTS
from workbench.recipe.schema import specs


def field_label(axis: str) -> str:
    """Return the label of a field, such as ``quantize.bits``, with the layer if it has one."""
    part, _dot, rest = axis.partition(".")
    name, _dot, layer = rest.partition(".")
    label = next(spec.label for spec in specs(PARTS[part]) if spec.name == name)
    return f"{label} ({layer})" if layer else label
