"""Random recipes, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from workbench.recipe import PARTS, Recipe
from workbench.recipe.prune import NEEDS_GRADIENTS
from workbench.recipe.quantize import COMPENSATED
from workbench.recipe.recipe import DATA_DRIVEN
from workbench.recipe.schema import FieldSpec, specs

PROBABILITY = {
    "structure": 0.3,
    "share": 0.3,
    "factorize": 0.2,
    "activations": 0.3,
    "adjust": 0.3,
    "train": 0.2,
}
"""The probability that a random recipe has a part, if it is not 0.85."""

SUBSETS: dict[str, tuple[Any, ...]] = {
    "steps": (0, 3),
    "left_out": (0, 0),
    "teacher": ("", "self"),
    "learning_rate": (1e-5, 1e-3),
    "batch": (1, 64),
    "patience": (0, 3),
    "average": (0.0, 0.99),
    "threads": (1, 2),
}
"""By field of `Train`: the bounds of a number, or the texts, whose training takes seconds."""


def random_recipe(rng: Random, names: Iterable[str]) -> Recipe:
    """Return a random valid recipe for tensors `names`, often with extreme values."""
    names = list(names)
    data: dict[str, Any] = {}
    for key, part in PARTS.items():
        if rng.random() < PROBABILITY.get(key, 0.85):
            data[key] = {field.name: random_value(field, rng, names) for field in specs(part)}
    criteria = {data.get(part, {}).get("criterion") for part in ("prune", "structure")}
    data_driven = bool(criteria & DATA_DRIVEN)
    if "train" in data and criteria & NEEDS_GRADIENTS:
        data["train"]["labels"] = 1.0  # gradients use all labels
    compensates = data.get("quantize", {}).get("rounding") in COMPENSATED
    if "train" in data and (data_driven or compensates or "activations" in data):
        data["train"]["start"] = "trained"  # calibration requires it
    if "train" in data and compensates:
        data["train"]["rounding"] = "afterwards"
    if data.get("train", {}).get("start") == "trained":
        data["train"]["width"] = 1.0  # the width of trained weights is fixed
    if "structure" in data:  # coupled layers must not have different fractions
        layers = data["structure"]["layers"]
        data["structure"]["layers"] = dict(list(layers.items())[:1])
    if "factorize" in data:  # a tensor cannot be both pruned and factorized
        data.pop(rng.choice(["prune", "factorize"]), None)
    if "factorize" in data:
        data.pop("train", None)
    return Recipe.from_json(data)


def random_value(field: FieldSpec, rng: Random, names: Sequence[str]) -> Any:
    """Return a random allowed value, often an extreme one; `names` are the model's tensors."""
    if field.kind == "layers":
        chosen = [name for name in names if rng.random() < 0.3] if rng.random() < 0.4 else []
        return {name: _scalar(field, rng) for name in chosen}
    if field.kind == "names":
        return [name for name in names if rng.random() < 0.3] if rng.random() < 0.3 else []
    return _scalar(field, rng)


def _scalar(field: FieldSpec, rng: Random) -> Any:
    if field.choices:
        return rng.choice(field.choices).value
    if field.kind == "text":
        return rng.choice(SUBSETS[field.name])
    low, high = SUBSETS.get(field.name, (field.low, field.high))
    at = rng.random()
    if at < 0.1:
        return _typed(field, low)
    if at < 0.2:
        return _typed(field, high)
    value = rng.uniform(low, high)
    if field.step:
        value = min(high, low + round((value - low) / field.step) * field.step)
    return _typed(field, value)


def _typed(field: FieldSpec, value: float) -> float | int:
    return round(value) if field.kind == "integer" else round(value, 6)
