"""Checks of arguments of the Python API. Each error says in one sentence what to pass.

Those that need no model are in `workbench.arguments`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.arguments import expect_recipe
from workbench.domain import Model
from workbench.errors import InputError, RecipeError
from workbench.recipe import Recipe, Train
from workbench.recipe.schema import brief


def expect_model(value: object) -> Model:
    """Return `value`, or raise `InputError` if it is not a model."""
    if isinstance(value, Model):
        return value
    raise InputError(
        f"Pass a model, such as wb.model('fashion/lenet5'), not {brief(value)}.",
        code="argument.not_a_model",
    )


def expect_recipes(value: object) -> list[Recipe]:
    """Return `value` as a list, or raise `RecipeError` if it is not a sequence of recipes."""
    if isinstance(value, list | tuple):
        return [expect_recipe(recipe) for recipe in value]
    raise RecipeError(
        f"recipes must be a list of recipes, such as [Recipe()], not {brief(value)}.",
        code="argument.not_recipes",
    )


def expect_settings(value: object, name: str) -> Train:
    """Return `value`, or raise `RecipeError` if it is not a `Train`."""
    if isinstance(value, Train):
        return value
    raise RecipeError(
        f"{name} must be a Train, such as Train(steps=200), not {brief(value)}.",
        code="argument.not_train_settings",
    )


def expect_mapping(value: object, name: str) -> None:
    """Raise `InputError` if `value` is not a mapping."""
    if not isinstance(value, Mapping):
        raise InputError(
            f"{name} must be a dict with names for keys, not {brief(value)}.",
            code="argument.not_a_mapping",
        )


def expect_count(value: object, name: str, least: int = 1) -> int:
    """Return `value` as int, or raise `InputError` if it is not an integer of at least `least`."""
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if is_number and value == value // 1 and value >= least:  # type: ignore[operator]
        return int(value)
    raise InputError(
        f"{name} must be an integer of at least {least}, not {brief(value)}.",
        code="argument.not_a_count",
    )


def expect_numbers(value: object, name: str) -> list[float]:
    """Return `value` as a list, or raise `InputError` if it is not a sequence of numbers."""
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.zeros(())
    if numbers.ndim != 1:
        raise InputError(
            f"{name} must be a list of numbers, not {brief(value)}.",
            code="argument.not_a_list_of_numbers",
        )
    return [float(number) for number in numbers]
