"""The optional header key `preprocessing`: what a file needs in order to predict from raw data.

It is plain JSON: where the data came from, how its cells or pictures become numbers, the layers of
the small network, and the classes. This module checks its structure and limits; the content is
checked by what uses it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from workbench.errors import ArtifactError

PREPROCESSING_KEY = "preprocessing"
VERSION = 1
KINDS = ("table", "images")
"""What the model predicts from."""
KEYS = ("version", "kind", "origin", "classes", "network", "data")
MAX_BYTES = 8 * 2**20
"""Largest size as JSON: 100,000 words or categories of 80 letters."""
MAX_DEPTH = 10
MAX_INTEGER = 2**63
MAX_NAME = 200
"""Letters in the name of the file that the model was made from."""
DIGEST = re.compile("[0-9a-f]{64}")


def check_preprocessing(content: Any) -> None:
    """Check the structure and the limits of a value of the header key `preprocessing`.

    Raises
    ------
    ArtifactError
        If a key is missing or unknown, a number is not finite, or it is too deep or too large.
    """
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise ArtifactError(
            "The file describes its preprocessing in a way that this version does not know: "
            "upgrade Workbench.",
            code="artifact.unknown_preprocessing",
        )
    if not (_is_plain(content, MAX_DEPTH) and _has_parts(content)):
        raise ArtifactError(
            "The file's preprocessing is damaged: download or save the file again.",
            code="artifact.invalid_preprocessing",
        )
    if preprocessing_size(content) > MAX_BYTES:
        raise ArtifactError(
            f"The file's preprocessing takes more than {MAX_BYTES:,} bytes: leave out columns with "
            "many categories or words.",
            code="artifact.preprocessing_too_large",
        )


def preprocessing_size(content: Mapping[str, Any] | None) -> int:
    """Return the bytes that the key and its value take in a header; 0 for None."""
    if content is None:
        return 0
    text = json.dumps({PREPROCESSING_KEY: content}, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode()) - 1  # a comma instead of two braces


def _has_parts(content: dict[str, Any]) -> bool:
    if tuple(content) != KEYS or content["kind"] not in KINDS:
        return False
    origin, classes = content["origin"], content["classes"]
    return (
        isinstance(content["data"], dict)
        and isinstance(content["network"], list)
        and isinstance(classes, list)
        and all(isinstance(name, str) for name in classes)
        and len(set(classes)) == len(classes) != 1
        and _is_origin(origin)
    )


def _is_origin(origin: Any) -> bool:
    match origin:
        case {"name": str(name), "digest": str(digest)} if len(origin) == 2:
            return len(name) <= MAX_NAME and DIGEST.fullmatch(digest) is not None
    return False


def _is_plain(value: Any, depth: int) -> bool:
    """Whether `value` is plain data of finite numbers, nested at most `depth` times."""
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return depth > 0 and all(_is_plain(item, depth - 1) for item in inside)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < MAX_INTEGER
    return value is None or isinstance(value, str)
