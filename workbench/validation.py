"""What callers in Python hand in: each check refuses with one sentence that says what to give."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.domain import Model
from workbench.errors import RecipeError, WorkbenchError
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import brief


def expect_model(value: object) -> Model:
    """Return `value`, or raise `WorkbenchError` where it is no model."""
    if isinstance(value, Model):
        return value
    raise WorkbenchError(f"Give a model, such as wb.model('fashion/lenet5'), not {brief(value)}.")


def expect_recipe(value: object) -> Recipe:
    """Return `value`, or raise `RecipeError` where it is no recipe."""
    if isinstance(value, Recipe):
        return value
    raise RecipeError(f"A recipe must be a Recipe, such as Recipe(), not {brief(value)}.")


def expect_settings(value: object, whose: str) -> Train:
    """Return `value`, or raise `RecipeError` where it does not say how to train."""
    if isinstance(value, Train):
        return value
    raise RecipeError(f"{whose} must be a Train, such as Train(steps=200), not {brief(value)}.")


def expect_mapping(value: object, what: str) -> None:
    """Raise `RecipeError` where `value` is no mapping from names."""
    if not isinstance(value, Mapping):
        raise RecipeError(f"{what} must be a dict with names for keys, not {brief(value)}.")


def expect_count(value: object, what: str, least: int = 1) -> int:
    """Return `value` as int, or raise `RecipeError` where it is no whole number from `least` up."""
    whole = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if whole and value == value // 1 and value >= least:  # type: ignore[operator]
        return int(value)
    raise RecipeError(f"{what} must be a whole number, {least} at least, not {brief(value)}.")


def expect_numbers(value: object, what: str) -> list[float]:
    """Return `value` as a list, or raise `RecipeError` where it is no row of numbers."""
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.zeros(())
    if numbers.ndim != 1:
        raise RecipeError(f"{what} must be a list of numbers, not {brief(value)}.")
    return [float(number) for number in numbers]
