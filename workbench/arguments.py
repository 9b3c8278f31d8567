"""Checks of arguments that need no model, for all packages above the recipe.

Each error says in one sentence what to pass. `workbench.validation` has the other checks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from workbench.cancel import CancelToken
from workbench.errors import InputError, RecipeError
from workbench.recipe import PARTS, Recipe
from workbench.recipe.schema import brief

Kind = TypeVar("Kind")


def expect_instance(value: object, kind: type[Kind], advice: str, code: str) -> Kind:
    """Return `value`, or raise `InputError` if it is not of a type.

    Parameters
    ----------
    advice
        What to pass, as the beginning of the sentence: ``Pass a report, as wb.measure returns it``.
    code
        The code of the error, after ``argument.``.
    """
    if isinstance(value, kind):
        return value
    raise InputError(f"{advice}, not {brief(value)}.", code=f"argument.{code}")


def expect_name(value: object, kind: str, example: str) -> str:
    """Return `value`, or raise `InputError` if it is no text.

    Parameters
    ----------
    kind, example
        What has the name, such as ``a model``, and one of these names.
    """
    return expect_instance(
        value, str, f"Pass the name of {kind}, such as {example!r}", "not_a_name"
    )


def expect_recipe(value: object) -> Recipe:
    """Return `value`, or raise `RecipeError` if it is not a recipe."""
    if isinstance(value, Recipe):
        return value
    advice = ""
    if isinstance(value, Mapping | str | bytes):
        advice = "; Recipe.from_json makes one from a dict or from JSON"
    elif isinstance(value, tuple(PARTS.values())):
        advice = f"; Recipe({type(value).__name__}(...)) makes one from a part"
    raise RecipeError(
        f"A recipe must be a Recipe, such as Recipe(), not {brief(value)}{advice}.",
        code="argument.not_a_recipe",
    )


def expect_function(value: object, name: str) -> None:
    """Raise `InputError` if `value` is not a function."""
    if not callable(value):
        raise InputError(
            f"{name} must be a function, not {brief(value)}.", code="argument.not_a_function"
        )


def expect_callback(value: object, name: str) -> None:
    """Raise `InputError` if `value` is neither None nor a function."""
    if value is not None and not callable(value):
        raise InputError(
            f"{name} must be a function or None, not {brief(value)}.",
            code="argument.not_a_function",
        )


def expect_cancel(value: object) -> None:
    """Raise `InputError` if `value` is not a `CancelToken`."""
    advice = "cancel must be a CancelToken, such as wb.CancelToken()"
    expect_instance(value, CancelToken, advice, "not_a_cancel_token")


def expect_flag(value: object, name: str) -> None:
    """Raise `InputError` if `value` is not True or False."""
    if not isinstance(value, bool):
        raise InputError(
            f"{name} must be True or False, not {brief(value)}.", code="argument.not_a_flag"
        )


def expect_path(value: object, name: str) -> Path:
    """Return `value` as a path, or raise `InputError` if it is neither text nor a path."""
    if isinstance(value, str | os.PathLike) and isinstance(os.fspath(value), str):
        return Path(value)
    raise InputError(
        f"{name} must be a path, such as 'folder', not {brief(value)}.",
        code="argument.not_a_path",
    )


def expect_running(cancel: object, **callbacks: object) -> None:
    """Check the cancel token of long work, and the functions that it calls, by name.

    Raises
    ------
    InputError
        If one is of another type.
    """
    expect_cancel(cancel)
    for name, value in callbacks.items():
        expect_callback(value, name)
