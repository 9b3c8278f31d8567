"""Controls generated from the recipe schema, and the conversion between recipes and their values.

New fields, criteria and parts of a recipe appear automatically. The first field of each part is a
large control. Per-layer fields go to the layer table. The page has three levels, each of which
shows more fields. Training is slow, so it is not a live control: it has a button of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any

from workbench import formatting
from workbench.domain import Model
from workbench.domain.applicable import can_act, condition
from workbench.i18n import _, mark as N_
from workbench.panels import bounds
from workbench.recipe import PARTS, Prune, Recipe
from workbench.recipe.off import BY_LAYER, OFF, disabled_part
from workbench.recipe.prune import AUTO, DEFAULT_SCOPES
from workbench.recipe.recipe import Part, written_fields
from workbench.recipe.schema import Choice, FieldSpec, specs

TITLES = {
    "structure": N_("Structure"),
    "prune": N_("Pruning"),
    "factorize": N_("Low rank"),
    "share": N_("Weight sharing"),
    "quantize": N_("Quantization"),
    "activations": N_("Activations"),
    "adjust": N_("Adjustment"),
}

LEVELS = {"start": N_("Start"), "explore": N_("Explore"), "everything": N_("Everything")}
"""The levels of the page by key; each shows the fields of those before it, and more."""

HEADLINES = frozenset({"prune.sparsity", "quantize.bits"})
"""The fields of the first level."""

SEPARATE_PARTS = frozenset({"train"})
"""Parts with a section of their own."""

INTEGER_BITS = ("quantize.bits", list(range(2, 9)))
VISIBLE_IF = {
    "structure.seed": ("structure.criterion", ["random"]),
    "activations.percentile": ("activations.observer", ["percentile"]),
    "prune.seed": ("prune.criterion", ["random"]),
    "prune.width": ("prune.pattern", ["n_m", "block"]),
    "factorize.rank": ("factorize.measure", ["number"]),
    "share.start": ("share.method", ["k_means"]),
    "share.seed": ("share.start", ["random"]),
    "quantize.format": ("quantize.bits", [16]),
    **dict.fromkeys(("quantize.scheme", "quantize.granularity"), INTEGER_BITS),
    **dict.fromkeys(("quantize.range", "quantize.rounding"), INTEGER_BITS),
    "quantize.group_size": ("quantize.granularity", ["group"]),
    "quantize.percentile": ("quantize.range", ["percentile"]),
}
"""Fields that apply only to certain values of another field, and are hidden otherwise."""

NAMED = 3
"""How many of the active settings that a level hides are named."""

GATED = frozenset(OFF) - {"adjust"}
"""Parts whose first field turns all other fields on or off."""


def describe(model: Model, recipe: Recipe, only: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the parts of a recipe with their fields, from which the page builds its controls.

    Fields that cannot act on `model` are omitted, unless `recipe` sets them.

    Parameters
    ----------
    only
        The keys of the fields to describe, such as ``quantize.bits``; empty for all.
    """
    parts = []
    for key, part in _live():
        in_use = _set_fields(recipe, key)
        title = _(TITLES[key]) if key in TITLES else key
        shown = [
            describe_field(key, spec, primary=position == 0, title=title)
            | {"visible_if": condition(model, key, spec.name) or VISIBLE_IF.get(name)}
            for position, spec in enumerate(specs(part))
            for name in [f"{key}.{spec.name}"]
            if not only or name in only
            if can_act(model, key, spec.name) or name in in_use
        ]
        if shown:
            parts.append({"key": key, "title": title, "fields": shown})
    return parts


def hidden_settings(recipe: Recipe) -> dict[str, str]:
    """Return, for each level, a text that names the active settings that it does not show."""
    active = _active(recipe)
    texts = {}
    for number, name in enumerate(LEVELS):
        names = [label for level, label in active if list(LEVELS).index(level) > number]
        others = len(names) - NAMED
        text = _("Also active: {names}")
        if others > 0:
            text = _("Also active: {names}, and {count} more")
        listed = text.format(names=", ".join(names[:NAMED]), count=others)
        texts[name] = listed if names else ""
    return texts


def _active(recipe: Recipe) -> list[tuple[str, str]]:
    """Return the levels and labels of the fields that `recipe` sets, in parts that are on.

    The first field of each part, which says how much, comes before the others.
    """
    current = values(recipe)
    active = []
    for key, part in _live():
        gate, in_use = _gate(key), _set_fields(recipe, key)
        if key in GATED and current[gate["key"]] == gate["off"] and not current.get(gate["layers"]):
            continue
        active += [
            (
                position > 0,
                _level(key, spec, primary=position == 0),
                _name(_(TITLES.get(key, key)), spec),
            )
            for position, spec in enumerate(specs(part))
            if f"{key}.{spec.name}" in in_use
        ]
    return [(level, label) for _rest, level, label in sorted(active, key=lambda entry: entry[0])]


def _name(title: str, spec: FieldSpec) -> str:
    """Return the full name of a field: ``pruning: sparsity``."""
    return formatting.titled(title.lower(), spec.label) if title else spec.label


def _set_fields(recipe: Recipe, key: str) -> set[str]:
    """Return the fields of a part that `recipe` sets to other values than the disabled part has."""
    settings = getattr(recipe, key, None)
    if settings is None:
        return set()
    off = _values_of(key, disabled_part(key))
    return {name for name, value in _values_of(key, settings).items() if value != off[name]}


def values(recipe: Recipe) -> dict[str, Any]:
    """Return the value of every control for `recipe`; a missing part gets its disabled values."""
    result: dict[str, Any] = {}
    for key, _part in _live():
        result |= _values_of(key, getattr(recipe, key) or disabled_part(key))
    return result


def _values_of(key: str, settings: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        value = dict(value) if isinstance(value, Mapping) else value
        result[f"{key}.{field.name}"] = list(value) if isinstance(value, tuple) else value
    return result


def recipe(values: Mapping[str, Any]) -> Recipe:
    """Return the recipe for the values of the controls, without disabled parts.

    Raises
    ------
    RecipeError
        If a value is not allowed or a key is unknown; `values` come from the browser.
    """
    parts: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        key, _dot, field = str(name).partition(".")
        parts.setdefault(key, {})[field] = value
    full = Recipe.from_json(parts)
    disabled = [key for key, _part in _live() if getattr(full, key) == disabled_part(key)]
    return Recipe.from_json({k: v for k, v in full.as_dict().items() if k not in disabled})


def with_default_scope(recipe: Recipe, previous: Recipe) -> Recipe:
    """Return `recipe` with the default scope of its new criterion.

    The scope changes only if `previous` had the default scope of the old criterion.
    """
    new, old = recipe.prune, previous.prune or Prune()
    if new is None or new.criterion == old.criterion or new.scope != old.scope:
        return recipe
    was_default = old.scope == DEFAULT_SCOPES[old.criterion]
    return replace(recipe, prune=replace(new, scope=AUTO)) if was_default else recipe


def summary(recipe: Recipe) -> str:
    """Return a short text with the settings of `recipe`."""
    texts: list[str] = []
    for key, part in PARTS.items():
        settings = getattr(recipe, key)
        if settings is None:
            continue
        values = written_fields(settings)
        texts += [
            f"{spec.label} {_format(spec, values[spec.name])}"
            for spec in specs(part)
            if spec.name in values
        ]
    return " · ".join(texts) or _("not compressed")


def _live() -> list[tuple[str, type[Part]]]:
    return [(key, part) for key, part in PARTS.items() if key not in SEPARATE_PARTS]


def describe_field(key: str, spec: FieldSpec, *, primary: bool, title: str = "") -> dict[str, Any]:
    """Return the description from which the page builds the control of one field.

    Parameters
    ----------
    key
        The part of the recipe.
    primary
        Whether the control is large.
    title
        The title of the part, which precedes the label in the name for screen readers.
    """
    name = f"{key}.{spec.name}"
    short = specs(PARTS[key])[0].label if spec.kind == "layers" else spec.label
    stepped = primary and all(isinstance(choice.value, int) for choice in spec.choices)
    return {
        "key": name,
        "kind": spec.kind,
        "primary": primary,
        "level": _level(key, spec, primary=primary),
        "label": spec.label,
        "name": _name(title, spec),
        "short": short,
        "help": spec.help,
        "low": spec.low,
        "high": spec.high,
        "step": spec.step,
        "bounds": _bounds(spec, short),
        "stepped": stepped and bool(spec.choices),
        "percent": _is_share(spec),
        "unit": f"{formatting.NARROW_SPACE}%" if _is_share(spec) else "",
        "choices": [_choice(choice, bits=spec.name == "bits") for choice in spec.choices],
        "visible_if": VISIBLE_IF.get(name),
        "gate": _gate(key) if key in GATED and not primary else None,
    }


def _level(key: str, spec: FieldSpec, *, primary: bool) -> str:
    if f"{key}.{spec.name}" in HEADLINES:
        return "start"
    return "explore" if primary and key != "adjust" else "everything"


def _gate(key: str) -> dict[str, Any]:
    """Return the condition under which the part `key` acts: it is on, or set for some layer."""
    first = specs(PARTS[key])[0].name
    layers = f"{key}.layers" if key in BY_LAYER else None
    return {"key": f"{key}.{first}", "off": OFF[key], "layers": layers}


def _choice(choice: Choice, *, bits: bool) -> dict[str, Any]:
    texts = [text for text in (choice.help, choice.paper) if text]
    spoken = choice.label
    if bits:
        spoken = _("{count} bits").format(count=choice.value)  # there are at least two
    return {
        "value": choice.value,
        "label": choice.label,
        "spoken": spoken,
        "help": formatting.paragraph(texts),
    }


def _bounds(spec: FieldSpec, label: str) -> dict[str, Any] | None:
    """Return what a number that is typed may be; None for other fields."""
    if spec.choices or spec.kind not in ("real", "integer", "layers"):
        return None
    if spec.kind == "layers":
        scale, unit = (100, f"{formatting.NARROW_SPACE}%") if _is_share(spec) else (1, "")
        return bounds.of_layer(label, spec.low * scale, spec.high * scale, unit)
    return bounds.between(spec.low, spec.high, is_integer=spec.kind == "integer")


def _is_share(spec: FieldSpec) -> bool:
    return not spec.choices and spec.kind in ("real", "layers") and spec.high <= 1


def _format(spec: FieldSpec, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_format(spec, v)}" for name, v in value.items())
    if isinstance(value, tuple):
        return ", ".join(value)
    if spec.kind == "text":
        return str(value)
    if spec.choices:
        return next((choice.label for choice in spec.choices if choice.value == value), str(value))
    return formatting.percent(value, 0) if _is_share(spec) else f"{value:g}"
