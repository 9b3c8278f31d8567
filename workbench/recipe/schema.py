"""The schema of a recipe: the allowed values of each field, and its texts.

Each field of a recipe's parts has a `FieldSpec` in its metadata. The page, the console, links,
validation and the tests all read it, so that a new field or choice is defined in one place.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, NamedTuple

from workbench.errors import RecipeError
from workbench.i18n import Labeled
from workbench.recipe.layermap import LayerMap
from workbench.recipe.name_patterns import NameList

MAX_TEXT_LENGTH = 400

Kind = Literal["real", "integer", "choice", "text", "layers", "names"]


@dataclass(frozen=True)
class Choice(Labeled):
    """One value of a field, with its texts.

    `alias` is another name of the value, known from papers, that a recipe may be given with.
    """

    value: str | int
    label_id: str
    help_id: str = ""
    paper: str = ""
    alias: str = ""


@dataclass(frozen=True)
class FieldSpec(Labeled):
    """The allowed values of a field, and its texts.

    Attributes
    ----------
    name, kind : str
        The field's name and the type of its values.
    label_id, help_id : str
        Message ids of its label and description.
    low, high, step : float
        The bounds and step of a number.
    choices : tuple of Choice
        The values of a ``choice`` field, or of the entries of a ``layers`` field.
    """

    name: str
    kind: Kind
    label_id: str
    help_id: str
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    choices: tuple[Choice, ...] = ()

    @property
    def aliases(self) -> dict[str, str | int]:
        """The values of a choice by their other names."""
        return {choice.alias: choice.value for choice in self.choices if choice.alias}

    def check(self, value: Any, part: str) -> Any:
        """Return `value` in canonical form; raise `RecipeError` if it is not allowed."""
        where = f"{part}.{self.name}"
        if self.kind == "layers":
            if not isinstance(value, Mapping):
                raise RecipeError(
                    f"{where} must map layer names to values, not {brief(value)}.",
                    code="recipe.wrong_type",
                )
            return LayerMap({_name(k, where): self._scalar(v, where) for k, v in value.items()})
        if self.kind == "names":
            if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
                raise RecipeError(
                    f"{where} must be a list of layer names, not {brief(value)}.",
                    code="recipe.wrong_type",
                )
            return NameList(sorted({_name(item, where) for item in value}))
        if self.kind == "text":
            if not isinstance(value, str) or len(value) > MAX_TEXT_LENGTH:
                raise RecipeError(
                    f"{where} must be a string of at most {MAX_TEXT_LENGTH} characters, not "
                    f"{brief(value)}.",
                    code="recipe.wrong_type",
                )
            return value
        return self._scalar(value, where)

    def _scalar(self, value: Any, where: str) -> Any:
        if getattr(value, "shape", None) == () and hasattr(value, "item"):
            value = value.item()  # a number from NumPy, or a tensor
        if self.choices:
            integral = isinstance(value, float) and value.is_integer()
            candidate = int(value) if integral else value
            if isinstance(candidate, str):
                candidate = self.aliases.get(candidate, candidate)
            if isinstance(value, bool) or candidate not in [c.value for c in self.choices]:
                allowed = ", ".join(map(_with_alias, self.choices))
                raise RecipeError(
                    f"{where} must be one of {allowed}, not {brief(value)}.",
                    code="recipe.unknown_choice",
                )
            return candidate
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if not number or not self.low <= value <= self.high:  # also rejects NaN
            allowed = f"{self.low:.10g} to {self.high:.10g}"
            raise RecipeError(
                f"{where} must be a number from {allowed}, not {brief(value)}.",
                code="recipe.out_of_range",
            )
        if self.kind == "integer":
            if value != int(value):
                raise RecipeError(
                    f"{where} must be an integer, not {brief(value)}.", code="recipe.not_an_integer"
                )
            return int(value)
        return float(f"{value:.9g}") + 0.0  # 0.1 + 0.2 equals 0.3, and -0 equals 0


def brief(value: Any) -> str:
    """Return a one-line `repr` of `value`, short enough for a message."""
    return reprlib.repr(value).replace("\n", " ")


def _with_alias(choice: Choice) -> str:
    return f"{choice.value} (or {choice.alias})" if choice.alias else str(choice.value)


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise RecipeError(
            f"{where} must name layers by non-empty strings, not {brief(value)}.",
            code="recipe.invalid_layer_name",
        )
    return value


class Bounds(NamedTuple):
    """The lowest and highest value of a number, and the step of its slider."""

    low: float
    high: float
    step: float = 1


Limits = tuple[float, float] | tuple[float, float, float]
"""`Bounds` as a plain tuple; the step is 1 unless given."""


def spec(default: Any, kind: Kind, label: str, help: str, **limits: Any) -> Any:
    """Return a dataclass field with `default` and a `FieldSpec` in its metadata."""
    description = {"kind": kind, "label_id": label, "help_id": help, **limits}
    return field(default=default, metadata={"spec": description})


def real(default: float, limits: Limits, label: str, help: str) -> Any:
    """Return the field of a number."""
    return spec(default, "real", label, help, **Bounds(*limits)._asdict())


def integer(default: int, limits: Limits, label: str, help: str) -> Any:
    """Return the field of an integer."""
    return spec(default, "integer", label, help, **Bounds(*limits)._asdict())


def choice(default: str | int, choices: tuple[Choice, ...], label: str, help: str) -> Any:
    """Return the field of one of `choices`."""
    return spec(default, "choice", label, help, choices=choices)


def text(default: str, label: str, help: str) -> Any:
    """Return the field of a short text."""
    return spec(default, "text", label, help)


def layer_map(allowed: Limits | tuple[Choice, ...], label: str, help: str) -> Any:
    """Return the field of a `LayerMap` to numbers within bounds, or to the values of choices."""
    if isinstance(allowed[0], Choice):
        return spec(LayerMap(), "layers", label, help, choices=allowed)
    return spec(LayerMap(), "layers", label, help, **Bounds(*allowed)._asdict())


def name_list(label: str, help: str) -> Any:
    """Return the field of a tuple of layer names."""
    return spec((), "names", label, help)


def specs(part: Any) -> tuple[FieldSpec, ...]:
    """Return the field specs of a recipe part (class or instance), in order."""
    return _specs(part if isinstance(part, type) else type(part))


@cache
def _specs(part: type[Any]) -> tuple[FieldSpec, ...]:
    return tuple(FieldSpec(name=f.name, **f.metadata["spec"]) for f in fields(part))


class Settings:
    """A part of a recipe: a dataclass whose fields are checked and converted to canonical form."""

    def __post_init__(self) -> None:
        key = type(self).__name__.lower()
        for field_spec in specs(self):
            value = field_spec.check(getattr(self, field_spec.name), key)
            object.__setattr__(self, field_spec.name, value)
