"""What a field of a recipe may hold: the one description that everything else reads.

Each field of a recipe's parts carries a `FieldSpec` in its metadata. Adding a field or a choice
there is all it takes for the page and the console to show it, the link to carry it, validation to
check it and the tests to draw it.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any, Literal

from workbench.errors import RecipeError
from workbench.i18n import _
from workbench.recipe.layermap import LayerMap

LONGEST_TEXT = 400

Kind = Literal["real", "integer", "choice", "text", "layers", "names"]


@dataclass(frozen=True)
class Choice:
    """One value of a field, with the words that explain it (message ids of the catalogue)."""

    value: str | int
    label_id: str
    help_id: str = ""
    paper: str = ""

    @property
    def label(self) -> str:
        """The short name a person reads."""
        return _(self.label_id)

    @property
    def help(self) -> str:
        """One sentence of explanation, or an empty string."""
        return _(self.help_id) if self.help_id else ""


@dataclass(frozen=True)
class FieldSpec:
    """The values one field may take, and its words.

    `low`, `high` and `step` bound numbers; `choices` lists the values of a choice, and of each
    entry of a ``layers`` field whose entries are choices. `drawn` narrows what tests draw, where
    some allowed values would take hours: the bounds of a number, or texts to choose from.
    """

    name: str
    kind: Kind
    label_id: str
    help_id: str
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    choices: tuple[Choice, ...] = ()
    drawn: tuple[Any, ...] = ()

    @property
    def label(self) -> str:
        """The short name a person reads."""
        return _(self.label_id)

    @property
    def help(self) -> str:
        """One sentence of explanation."""
        return _(self.help_id)

    def check(self, value: Any, part: str) -> Any:
        """Return `value` in canonical form, or raise `RecipeError` saying what it may be."""
        where = f"{part}.{self.name}"
        if self.kind == "layers":
            if not isinstance(value, Mapping):
                raise RecipeError(f"{where} must map layer names to values, not {brief(value)}.")
            return LayerMap({_name(k, where): self._scalar(v, where) for k, v in value.items()})
        if self.kind == "names":
            if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
                raise RecipeError(f"{where} must be a list of layer names, not {brief(value)}.")
            return tuple(sorted({_name(item, where) for item in value}))
        if self.kind == "text":
            if not isinstance(value, str) or len(value) > LONGEST_TEXT:
                raise RecipeError(f"{where} must be a short text, not {brief(value)}.")
            return value
        return self._scalar(value, where)

    def _scalar(self, value: Any, where: str) -> Any:
        if getattr(value, "shape", None) == () and hasattr(value, "item"):
            value = value.item()  # a number of NumPy's, or a tensor's
        if self.choices:
            values = [choice.value for choice in self.choices]
            whole = isinstance(value, float) and value.is_integer()
            candidate = int(value) if whole else value
            if isinstance(value, bool) or candidate not in values:
                allowed = ", ".join(str(v) for v in values)
                raise RecipeError(f"{where} must be one of {allowed}, not {brief(value)}.")
            return candidate
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if not number or not self.low <= value <= self.high:  # NaN lies nowhere
            allowed = f"{self.low:.10g} to {self.high:.10g}"
            raise RecipeError(f"{where} must be a number from {allowed}, not {brief(value)}.")
        if self.kind == "integer":
            if value != int(value):
                raise RecipeError(f"{where} must be a whole number, not {brief(value)}.")
            return int(value)
        return float(f"{value:.9g}") + 0.0  # 0.1 + 0.2 and 0.3 are one recipe, and -0 and 0

    def draw(self, rng: Random, names: Sequence[str]) -> Any:
        """Return a random allowed value, the extremes often; `names` are the model's tensors."""
        if self.kind == "layers":
            picked = [name for name in names if rng.random() < 0.3] if rng.random() < 0.4 else []
            return {name: self._draw_scalar(rng) for name in picked}
        if self.kind == "names":
            return [name for name in names if rng.random() < 0.3] if rng.random() < 0.3 else []
        return self._draw_scalar(rng)

    def _draw_scalar(self, rng: Random) -> Any:
        if self.choices:
            return rng.choice(self.choices).value
        if self.kind == "text":
            return rng.choice(self.drawn)
        low, high = self.drawn or (self.low, self.high)
        luck = rng.random()
        if luck < 0.1:
            return self._typed(low)
        if luck < 0.2:
            return self._typed(high)
        value = rng.uniform(low, high)
        if self.step:
            value = min(high, low + round((value - low) / self.step) * self.step)
        return self._typed(value)

    def _typed(self, value: float) -> float | int:
        return round(value) if self.kind == "integer" else round(value, 6)


def brief(value: Any) -> str:
    """Return `value` as a message shows it, one short line, however large or deep it is."""
    return reprlib.repr(value).replace("\n", " ")


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise RecipeError(f"{where} must name layers by text, not {brief(value)}.")
    return value


def spec(default: Any, kind: Kind, label: str, help: str, **limits: Any) -> Any:
    """Return a dataclass field with `default` and a `FieldSpec` in its metadata."""
    description = {"kind": kind, "label_id": label, "help_id": help, **limits}
    return field(default=default, metadata={"spec": description})


def specs(part: Any) -> tuple[FieldSpec, ...]:
    """Return the field descriptions of a recipe part (class or instance), in order."""
    return tuple(FieldSpec(name=f.name, **f.metadata["spec"]) for f in fields(part))


def check_fields(part: Any, key: str) -> None:
    """Bring every field of a frozen recipe part into canonical form, or raise `RecipeError`."""
    for description in specs(part):
        checked = description.check(getattr(part, description.name), key)
        object.__setattr__(part, description.name, checked)
