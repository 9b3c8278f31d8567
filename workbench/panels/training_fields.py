"""Which training settings have an effect: on a model, under a recipe, and with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.cache.memory import FOREVER
from workbench.domain import Model
from workbench.domain.applicable import has_batch_norm
from workbench.recipe import Recipe

ALWAYS_HIDDEN = frozenset({"steps", "threads"})  # set by the length of training and by the machine
IMAGES_ONLY = frozenset({"shift", "mirror"})
TEACHER = frozenset({"teacher", "temperature", "mix", "matching"})
CLASSES_ONLY = frozenset({"labels"})
PROBABILITIES_ONLY = frozenset({"temperature", "matching", "label_smoothing"})
OWN_LOSS = TEACHER | CLASSES_ONLY | {"label_smoothing"}
"""The settings that a user's own loss replaces."""
FROM_SCRATCH = frozenset({"width", "left_out"})


def unsuitable(model: Model) -> frozenset[str]:
    """Return the settings that have no effect on `model`, whatever the recipe."""
    task, kinds = model.task, {layer["kind"] for layer in model.card["layers"].values()}
    names = set(ALWAYS_HIDDEN)
    if task.input_type != "image":
        names |= IMAGES_ONLY
    if task.metric.counts != "classes":
        names |= CLASSES_ONLY
    if task.metric.counts == "numbers":
        names |= PROBABILITIES_ONLY
    if task.loss_fn is not None:
        names |= OWN_LOSS
    if not has_batch_norm(model):
        names.add("batch_norm")
    if "linear" not in kinds:
        names.add("dropout")
    if not model.card.get("most_left_out", 1):  # unmeasured cards do not say
        names.add("left_out")
    if model.architecture.lifetime is not FOREVER:  # a user's module has one width
        names.add("width")
    return frozenset(names)


def idle(recipe: Recipe) -> list[str]:
    """Return the settings that have no effect under `recipe`, in order."""
    names = []
    if not _prunes(recipe):
        names.append("sparsening")
    if not _rounds(recipe):
        names.append("rounding")
    return names


def needs(name: str, teachers: list[str]) -> list[tuple[str, list[Any]]]:
    """Return the conditions of a setting: pairs of another setting and the values it may have.

    `teachers` are the names of all teachers to choose from.
    """
    conditions: list[tuple[str, list[Any]]] = []
    if name in TEACHER - {"teacher"}:
        conditions.append(("teacher", teachers))
    if name == "temperature":
        conditions.append(("matching", ["soft_targets"]))
    if name in FROM_SCRATCH:
        conditions.append(("start", ["scratch"]))
    return conditions


def effective(values: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """Return the values of the settings that have an effect under `recipe` and with the others."""
    remaining = {name: value for name, value in values.items() if name not in idle(recipe)}
    if not values.get("teacher"):
        remaining = {name: value for name, value in remaining.items() if name not in TEACHER}
    if values.get("matching") == "logits":
        remaining.pop("temperature", None)
    if values.get("start") != "scratch":
        remaining = {name: value for name, value in remaining.items() if name not in FROM_SCRATCH}
    return remaining


def _prunes(recipe: Recipe) -> bool:
    part = recipe.prune
    return part is not None and any((part.sparsity, *part.layers.values()))


def _rounds(recipe: Recipe) -> bool:
    quantize, share = recipe.quantize, recipe.share
    rounded = quantize is not None and min((quantize.bits, *quantize.layers.values())) < 32
    return rounded or (share is not None and any((share.clusters, *share.layers.values())))
