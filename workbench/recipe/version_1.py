"""Old names: those of version 1 of files and links, and what they are called now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

KEYS = {"factorize.kept": "factorize.keep"}
VALUES = {
    "v": {"1": "2"},
    "structure.criterion": {"group norm": "group_norm"},
    "structure.scope": {"layer": "named"},
    "prune.scope": {"layer": "named"},
    "prune.pattern": {"n:m": "n_m"},
    "share.method": {"k-means": "k_means"},
    "train.matching": {"soft targets": "soft_targets"},
    "train.sparsening": {"one-shot": "one_shot"},
    "train.rounding": {"straight-through": "straight_through"},
    "train.schedule": {"one-cycle": "one_cycle", "warm-up": "warm_up"},
}
REWRITES = {"narrow": "remove_channels", "fold": "fold_norms", "round inputs": "quantize_inputs"}
MODEL_PREFIX, NEW_MODEL_PREFIX = "own/", "custom/"


def upgrade_header(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the header of a file of version 1 with the names of version 2.

    Content that is not valid in version 1 stays as it is.
    """
    upgraded = {"spec" if key == "form" else key: value for key, value in header.items()}
    if isinstance(upgraded.get("model"), str):
        upgraded["model"] = _model(upgraded["model"])
    if isinstance(upgraded.get("recipe"), dict):
        upgraded["recipe"] = {key: _part(key, part) for key, part in upgraded["recipe"].items()}
    if isinstance(upgraded.get("spec"), list):
        upgraded["spec"] = [_rewrite(rewrite) for rewrite in upgraded["spec"]]
    return upgraded


def upgrade_setting(key: str, value: Any) -> tuple[str, Any]:
    """Return the key and the value that the setting `key`, such as ``prune.scope``, has now."""
    if isinstance(value, str):
        if key == "m":
            value = _model(value)
        elif key == "train.teacher":
            value = _teacher(value)
        value = VALUES.get(key, {}).get(value, value)
    return KEYS.get(key, key), value


def _part(key: str, part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    settings = (upgrade_setting(f"{key}.{name}", value) for name, value in part.items())
    return {name.removeprefix(f"{key}."): value for name, value in settings}


def _rewrite(rewrite: Any) -> Any:
    match rewrite:
        case [str() as name, *parameters]:
            return [REWRITES.get(name, name), *parameters]
    return rewrite


def _model(name: str) -> str:
    if name.startswith(MODEL_PREFIX):
        return NEW_MODEL_PREFIX + name.removeprefix(MODEL_PREFIX)
    return name


def _teacher(text: str) -> str:
    """Upgrade a teacher: the name of a model, perhaps followed by ``?`` and a recipe."""
    name, mark, query = text.partition("?")
    settings = [upgrade_setting(*pair) for pair in parse_qsl(query, keep_blank_values=True)]
    return _model(name) + mark + urlencode(settings, safe="/:,", quote_via=quote)
