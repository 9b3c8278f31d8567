"""From a `config.json` as transformers writes it to an `Architecture`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from workbench.errors import InputError, file_errors
from workbench.planner.architecture import Architecture
from workbench.planner.architectures.defaults import with_defaults
from workbench.planner.architectures.fields import Fields
from workbench.planner.architectures.layers import blocks, norm_elements
from workbench.planner.architectures.style import REFUSED, SAME, STYLES, Style
from workbench.recipe.schema import brief

LARGEST_FILE = 2**22
"""Bytes. A configuration is a few kilobytes."""
NESTED = ("text_config", "language_config", "llm_config")
"""Where models of pictures and text keep the sizes of their language model."""

INNER = {
    "llava": "llama",
    "llava_next": "llama",
    "vipllava": "llama",
    "video_llava": "llama",
    "llava_onevision": "qwen2",
    "paligemma": "gemma",
    "idefics3": "llama",
    "smolvlm": "llama",
}
"""The family of the language model if its configuration does not say."""


def read_architecture(config: Mapping[str, Any] | str | Path) -> Architecture:
    """Return the sizes of a decoder-only language model.

    Parameters
    ----------
    config
        A `config.json`, or its entries.

    Raises
    ------
    InputError
        If it is not the configuration of a known decoder-only language model, or is incomplete.
    FileError
        If the file cannot be read.
    """
    entries = config if isinstance(config, Mapping) else read_json(Path(config))
    try:
        key = json.dumps(dict(entries), sort_keys=True)
    except (TypeError, ValueError):
        raise InputError(
            "A configuration must hold plain JSON values.", code="plan.config_not_json"
        ) from None
    return _architecture(key)


def read_json(path: Path) -> Mapping[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    InputError
        If the file is too large or holds no JSON object.
    FileError
        If it cannot be read.
    """
    with file_errors("read", path):
        data = path.read_bytes() if path.stat().st_size <= LARGEST_FILE else None
    if data is None:
        refuse_large(path.name)
    return parse_json(data, path.name)


def refuse_large(name: str) -> NoReturn:
    """Raise the error for a file of more than `LARGEST_FILE` bytes."""
    raise InputError(
        f"{name} is larger than 4 MB, so it is not a config.json: pass that of the model.",
        code="plan.config_too_large",
    )


def parse_json(data: bytes, name: str) -> Mapping[str, Any]:
    """Return the object in the JSON text `data` of a file.

    Raises
    ------
    InputError
        If it holds no JSON object.
    """
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict):
        raise InputError(
            f"{name} holds no JSON object; pass a model's config.json.",
            code="plan.config_not_json",
        )
    return entries


@lru_cache(maxsize=256)
def _architecture(key: str) -> Architecture:
    entries = json.loads(key)
    family = _family(entries)
    inner: Any = next((entries[name] for name in NESTED if name in entries), None)
    if isinstance(inner, dict) and (inner.get("model_type") or family not in STYLES):
        kind = inner.get("model_type") or INNER.get(family)
        merged = {"tie_word_embeddings": entries.get("tie_word_embeddings"), **inner}
        if isinstance(kind, str):
            merged = with_defaults({**merged, "model_type": kind}, SAME.get(kind, kind))
        return _architecture(json.dumps(merged, sort_keys=True))
    if isinstance(inner, dict):
        entries = {**entries, **inner}
    if family not in STYLES:
        reason = REFUSED.get(family)
        if reason or entries.get("is_encoder_decoder") is True:
            raise InputError(
                f"{family} is {reason or 'an encoder with a decoder'}; plans are made for "
                "decoder-only language models, such as llama.",
                code="plan.config_family",
            )
        raise InputError(
            f"{brief(family)} is not a known model_type: use one of {', '.join(sorted(STYLES))}.",
            code="plan.config_family",
        )
    try:
        return _known(Fields(entries, family))
    except InputError:
        raise
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise InputError(
            f"An entry of this configuration of {family} has an unexpected kind of value "
            f"({brief(str(error))}); pass the config.json as transformers writes it.",
            code="plan.config_value",
        ) from error


def _family(entries: Mapping[str, Any]) -> str:
    family = entries.get("model_type")
    if not isinstance(family, str) or not family:
        raise InputError(
            "The configuration has no model_type, such as llama.", code="plan.config_incomplete"
        )
    return SAME.get(family, family)


def _known(fields: Fields) -> Architecture:
    style = STYLES[fields.family]
    hidden, vocabulary = fields.size("hidden_size"), fields.size("vocab_size")
    width = fields.size("word_embed_proj_dim", hidden) if fields.family == "opt" else hidden
    positions, longest = 0, None
    if style.positions is not None:
        longest = fields.size("max_position_embeddings", 1024)
        positions = (longest + style.positions) * hidden
    if width != hidden:
        positions += 2 * width * hidden
    if style.embedding_norm:
        positions += 2 * hidden
    tied = fields.flag("tie_word_embeddings", style.tied)
    return Architecture(
        family=fields.family,
        hidden=hidden,
        vocabulary=vocabulary,
        blocks=blocks(fields, style),
        tied=tied,
        embedding=vocabulary * width,
        positions=positions,
        final=_final_norm(fields, style) * hidden,
        head_bias=vocabulary if style.head_bias else 0,
        longest=longest,
        named=_named_length(fields),
    )


def _named_length(fields: Fields) -> int | None:
    """Return the longest context that the configuration names, with its scaled positions."""
    if fields.get("max_position_embeddings") is None:
        return None
    return fields.size("max_position_embeddings")


def _final_norm(fields: Fields, style: Style) -> int:
    """Return the elements per channel of the norm after the last layer."""
    before = fields.family != "opt" or fields.flag("do_layer_norm_before", default=True)
    return norm_elements(fields, style) if style.final_norm and before else 0
