"""Names of models that are made from files."""

from __future__ import annotations

import re

from workbench.zoo.registry import models
from workbench.zoo.tables import CUSTOM_PREFIX

MAX_NAME_LENGTH = 40


def unique_name(stem: str) -> str:
    """Return a model name that is not in use, derived from the name of a file."""
    base = re.sub(r"[^\w.+-]+", "-", stem)[:MAX_NAME_LENGTH].strip("-.") or "data"
    existing, name, number = set(models()), base, 1
    while f"{CUSTOM_PREFIX}{name}" in existing:
        number += 1
        name = f"{base}-{number}"
    return name
