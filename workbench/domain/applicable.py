"""Which fields of a recipe can act on a model; the page shows no others.

Everything is decided from the model card, because the page does not import torch.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.domain.model import Model

PRODUCTS = frozenset({"linear", "convolution"})
"""The kinds of layers whose inputs can be quantized."""
CORRECTABLE = PRODUCTS | {"conv3d", *(f"convtranspose{n}d" for n in (1, 2, 3))}
"""The kinds of layers whose biases can be corrected."""


def has_channels(model: Model) -> bool:
    """Return whether some layer can lose channels."""
    return any(layer["coupled"] for layer in model.card["layers"].values())


def has_batch_norm(model: Model) -> bool:
    """Return whether the network stores running statistics."""
    return any(name.rpartition(".")[2] == "running_mean" for name in model.card["tensors"])


def has_products(model: Model) -> bool:
    """Return whether some layer's inputs can be quantized."""
    return any(layer["kind"] in PRODUCTS for layer in model.card["layers"].values())


def has_biases(model: Model) -> bool:
    """Return whether some bias can be corrected."""
    card = model.card
    return any(
        f"{name.removesuffix('weight')}bias" in card["tensors"]
        for name, layer in card["layers"].items()
        if layer["kind"] in CORRECTABLE
    )


def has_equalizable_layers(model: Model) -> bool:
    """Return whether the channel ranges of some layers can be equalized."""
    return bool(_equalizable(model))


def _equalizable(model: Model) -> str:
    return str(model.card.get("equalizable", "always"))  # unmeasured cards do not say


CONDITIONS: dict[str, Callable[[Model], bool]] = {
    "structure": has_channels,
    "activations": has_products,
    "adjust.batch_norm": has_batch_norm,
    "adjust.biases": has_biases,
    "adjust.equalize": has_equalizable_layers,
}
"""What a part, or a field as "part.name", needs from the model."""


def can_act(model: Model, part: str, name: str) -> bool:
    """Return whether the field `name` of a part can change a file of `model`."""
    conditions = (CONDITIONS.get(key) for key in (part, f"{part}.{name}"))
    return all(condition(model) for condition in conditions if condition is not None)


def condition(model: Model, part: str, name: str) -> tuple[str, list[str]] | None:
    """Return the field on which another depends for this model, and its values; None for none."""
    if (part, name) == ("adjust", "equalize") and _equalizable(model) == "folded":
        return "adjust.batch_norm", ["fold"]
    return None
