"""The space of a study: fields of a recipe, each with the values to try."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from workbench.errors import InputError
from workbench.recipe import PARTS, Recipe
from workbench.recipe.off import OFF
from workbench.recipe.schema import FieldSpec, brief, specs
from workbench.validation import expect_mapping

Position = tuple[int, ...]
"""The index of a value on each axis."""
Value = float | int | str


@dataclass(frozen=True)
class Space:
    """All recipes that have one of the given values in each field.

    Parameters
    ----------
    axes
        The values by field, as "part.field", such as ``{"prune.sparsity": [0, 0.5, 0.9]}``. The
        setting of a single layer is "part.layers.NAME".
    base
        The other fields of all recipes.
    cached
        What was computed from the space before. Leave it out.

    Raises
    ------
    InputError
        If a field does not exist, or has no values.
    RecipeError
        If a value is not allowed.

    Examples
    --------
    >>> space = Space({"prune.sparsity": [0, 0.5], "quantize.bits": [4, 32]})
    >>> [recipe.to_json() for recipe in space]  # doctest: +NORMALIZE_WHITESPACE
    ['{"quantize":{"bits":4}}', '{}',
     '{"prune":{"sparsity":0.5},"quantize":{"bits":4}}', '{"prune":{"sparsity":0.5}}']
    """

    axes: Mapping[str, Sequence[Value]] = field(hash=False)
    base: Recipe = Recipe()
    cached: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """What was computed from the space before."""

    def __post_init__(self) -> None:
        expect_mapping(self.axes, "The space of a study")
        if not self.axes:
            raise InputError(
                "The space of a study is empty: pass a field and its values, such as "
                '{"prune.sparsity": [0.5, 0.9]}.',
                code="study.empty_space",
            )
        axes = {key: _values(key, values) for key, values in self.axes.items()}
        object.__setattr__(self, "axes", axes)
        for key, values in axes.items():
            for value in values:
                self._read({key: value})  # raises if a value is not allowed

    def __hash__(self) -> int:
        return hash((tuple(self.axes.items()), self.base))

    def __len__(self) -> int:
        return prod(map(len, self.axes.values()))

    def __iter__(self) -> Iterator[Recipe]:
        """Iterate over the recipes that are valid, the last axis fastest."""
        for position in self.positions():
            recipe = self.recipe(position)
            if recipe is not None:
                yield recipe

    def positions(self) -> Iterator[Position]:
        """Iterate over all positions, the last axis fastest."""
        return product(*(range(len(values)) for values in self.axes.values()))

    def recipe(self, position: Position) -> Recipe | None:
        """Return the recipe at a position; None if its fields cannot be combined."""
        if position not in self.cached:
            self.cached[position] = self._recipe(position)
        recipe: Recipe | None = self.cached[position]
        return recipe

    def _recipe(self, position: Position) -> Recipe | None:
        values = [axis[index] for axis, index in zip(self.axes.values(), position, strict=True)]
        try:
            return self._read(dict(zip(self.axes, values, strict=True)))
        except ValueError:
            return None

    def position(self, recipe: Recipe) -> Position:
        """Return the position of a recipe of this space."""
        return tuple(
            values.index(value) if (value := value_of(recipe, key)) in values else 0
            for key, values in self.axes.items()
        )

    def check_names(self, layers: Sequence[str], others: Collection[str] = ()) -> None:
        """Check that the layers of all axes are among `layers`; excluded ones also in `others`.

        Raises
        ------
        RecipeError
            If one is not.
        """
        for key, values in self.axes.items():
            self._read({key: values[0]}).check_names(layers, others)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        axes = {key: list(values) for key, values in self.axes.items()}
        return {"axes": axes, "base": self.base.as_dict()}

    def _read(self, settings: Mapping[str, Value]) -> Recipe:
        data = self.base.as_dict()
        for key, value in settings.items():
            part, spec, layer = _split(key)
            fields = data.setdefault(part, {})
            if layer:
                fields[spec.name] = {**fields.get(spec.name, {}), layer: value}
            else:
                fields[spec.name] = value
        return without_idle_parts(Recipe.from_json(data))


def without_idle_parts(recipe: Recipe) -> Recipe:
    """Return an equivalent recipe without parts that do nothing."""
    active: dict[str, Any] = {}
    for key in PARTS:
        part = getattr(recipe, key)
        if part is None:
            continue
        if key in OFF and key != "adjust" and not getattr(part, "layers", None):
            first = getattr(part, specs(part)[0].name)
            if first == OFF[key] and not (key == "share" and part.method != "k_means"):
                continue
        active[key] = part
    return Recipe(**active)


def _split(key: str) -> tuple[str, FieldSpec, str]:
    """Return the part, the field and the layer of an axis."""
    part, _, rest = key.partition(".")
    name, _, layer = rest.partition(".")
    fields = {spec.name: spec for spec in specs(PARTS[part])} if part in PARTS else {}
    if name not in fields or (fields[name].kind == "layers") != bool(layer):
        known = list(fields) or list(PARTS)
        raise InputError(
            f"A recipe has no field {key!r}: name it as part.field, such as prune.sparsity, or "
            f"part.layers.NAME; known are {', '.join(known)}.",
            code="study.unknown_field",
        )
    return part, fields[name], layer


def _values(key: str, values: Any) -> tuple[Value, ...]:
    _split(key)
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    items = (
        [value.item() if hasattr(value, "item") else value for value in values] if is_list else []
    )
    if not items:
        raise InputError(
            f"The values of {key} must be a list that is not empty, not {brief(values)}.",
            code="study.empty_space",
        )
    return tuple(dict.fromkeys(items))


def value_of(recipe: Recipe, key: str) -> Value | None:
    """Return the value of a field of a recipe; None if it does not have the part of the field."""
    part_key, spec, layer = _split(key)
    part = getattr(recipe, part_key)
    if part is None:
        first = specs(PARTS[part_key])[0].name
        return OFF.get(part_key) if spec.name == first else None
    value = getattr(part, spec.name)
    return value.get(layer) if layer else value  # type: ignore[no-any-return]
