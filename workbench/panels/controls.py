"""The page's controls, described from the recipe's own schema, and their values both ways.

A new field, criterion or part of a recipe shows up by itself: the first field of each part is a
large control, layer maps and lists of layers go to the layer table, the rest to "more choices".
Training takes its time, so it is no live control: it has a section and a button of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from workbench import formatting
from workbench.i18n import _
from workbench.i18n import mark as N_
from workbench.recipe import PARTS, Prune, Recipe
from workbench.recipe.off import disabled_part
from workbench.recipe.prune import AUTO, DEFAULT_SCOPES
from workbench.recipe.recipe import Part, written_fields
from workbench.recipe.schema import Choice, FieldSpec, specs

TITLES = {
    "structure": N_("Structure"),
    "prune": N_("Pruning"),
    "factorize": N_("Low rank"),
    "share": N_("Weight sharing"),
    "quantize": N_("Quantisation"),
    "activations": N_("Activations"),
    "adjust": N_("Adjustment"),
}

SEPARATE_PARTS = frozenset({"train"})
"""The parts that have a section of their own."""

ONLY_WITH = {
    "structure.seed": ("structure.criterion", ["random"]),
    "activations.percentile": ("activations.observer", ["percentile"]),
    "prune.seed": ("prune.criterion", ["random"]),
    "prune.width": ("prune.pattern", ["n:m", "block"]),
    "factorize.rank": ("factorize.measure", ["number"]),
    "share.start": ("share.method", ["k-means"]),
    "share.seed": ("share.start", ["random"]),
    "quantize.format": ("quantize.bits", [16]),
    "quantize.group_size": ("quantize.granularity", ["group"]),
    "quantize.percentile": ("quantize.range", ["percentile"]),
}
"""Fields that matter only beside certain values of another one; they hide otherwise."""


def describe() -> list[dict[str, Any]]:
    """Return what the page needs to build the controls: parts with their fields, as plain data."""
    return [
        {
            "key": key,
            "title": _(TITLES[key]) if key in TITLES else key,
            "fields": [
                describe_field(key, spec, front=position == 0)
                for position, spec in enumerate(specs(part))
            ],
        }
        for key, part in _live()
    ]


def values(recipe: Recipe) -> dict[str, Any]:
    """Return the value of every control for `recipe`; absent parts read as switched off."""
    out: dict[str, Any] = {}
    for key, part in _live():
        chosen = getattr(recipe, key) or disabled_part(key)
        for field in fields(part):
            value = getattr(chosen, field.name)
            plain = dict(value) if isinstance(value, Mapping) else value
            out[f"{key}.{field.name}"] = list(plain) if isinstance(plain, tuple) else plain
    return out


def recipe(chosen: Mapping[str, Any]) -> Recipe:
    """Return the recipe that the controls' values say; a part switched off is left out.

    Raises
    ------
    RecipeError
        When a value is not allowed or a key is unknown, whoever sent it.
    """
    parts: dict[str, dict[str, Any]] = {}
    for name, value in chosen.items():
        key, _dot, field = str(name).partition(".")
        parts.setdefault(key, {})[field] = value
    made = Recipe.from_json(parts)
    idle = [key for key, _part in _live() if getattr(made, key) == disabled_part(key)]
    return Recipe.from_json({k: v for k, v in made.as_dict().items() if k not in idle})


def with_default_scope(chosen: Recipe, before: Recipe) -> Recipe:
    """Return `chosen` with the scope of its new criterion, if `before` had that of the old one."""
    new, old = chosen.prune, before.prune or Prune()
    if new is None or new.criterion == old.criterion or new.scope != old.scope:
        return chosen
    own = old.scope == DEFAULT_SCOPES[old.criterion]
    return replace(chosen, prune=replace(new, scope=AUTO)) if own else chosen


def summary(recipe: Recipe) -> str:
    """Say in a few words what `recipe` does."""
    words: list[str] = []
    for key, part in PARTS.items():
        chosen = getattr(recipe, key)
        if chosen is None:
            continue
        values = written_fields(chosen)
        words += [
            f"{spec.label} {_written(spec, values[spec.name])}"
            for spec in specs(part)
            if spec.name in values
        ]
    return " · ".join(words) or _("nothing changed")


def _live() -> list[tuple[str, type[Part]]]:
    return [(key, part) for key, part in PARTS.items() if key not in SEPARATE_PARTS]


def describe_field(key: str, spec: FieldSpec, *, front: bool) -> dict[str, Any]:
    """Return what the page needs to build the control of one field, large if `front`."""
    name = f"{key}.{spec.name}"
    return {
        "key": name,
        "kind": spec.kind,
        "front": front,
        "label": spec.label,
        "short": specs(PARTS[key])[0].label if spec.kind == "layers" else spec.label,
        "help": spec.help,
        "low": spec.low,
        "high": spec.high,
        "step": spec.step,
        "percent": _is_share(spec),
        "unit": f"{formatting.NARROW_SPACE}%" if _is_share(spec) else "",
        "choices": [_choice(choice) for choice in spec.choices],
        "only_with": ONLY_WITH.get(name),
    }


def _choice(choice: Choice) -> dict[str, Any]:
    said = [text for text in (choice.help, choice.paper) if text]
    return {"value": choice.value, "label": choice.label, "help": " ".join(said)}


def _is_share(spec: FieldSpec) -> bool:
    return not spec.choices and spec.kind in ("real", "layers") and spec.high <= 1


def _written(spec: FieldSpec, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_written(spec, v)}" for name, v in value.items())
    if isinstance(value, tuple):
        return ", ".join(value)
    if spec.kind == "text":
        return str(value)
    if spec.choices:
        return next((choice.label for choice in spec.choices if choice.value == value), str(value))
    return formatting.percent(value, 0) if _is_share(spec) else f"{value:g}"
