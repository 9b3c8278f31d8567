"""The choices about a table or about pictures, from a message of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.custom.pictures.inspection import SIZES, PictureChoices
from workbench.custom.tables.inspection import Choices
from workbench.errors import InputError
from workbench.i18n import _

MAX_NAMES = 1_000
"""Columns or classes that may be left out: as many as a table may have."""


def table_choices(message: Mapping[str, Any]) -> Choices:
    """Return the choices in a message; keys that are missing have their defaults.

    Raises
    ------
    InputError
        If a value is of the wrong type.
    """
    target, names = message.get("target"), message.get("leave_out") or []
    as_number, header = message.get("as_number"), message.get("header")
    missing, rare = message.get("missing", "impute"), message.get("leave_out_rare", False)
    valid = (
        (target is None or isinstance(target, str))
        and _are_names(names)
        and as_number in (None, True, False)
        and header in (None, True, False)
        and missing in ("impute", "leave_out")
        and rare in (True, False)
    )
    if not valid:
        raise InputError(_("There is no such choice for a table."), code="upload.unknown_choice")
    return Choices(target, as_number, tuple(names), header, missing, rare)


def picture_choices(message: Mapping[str, Any]) -> PictureChoices:
    """Return the choices in a message; keys that are missing have their defaults.

    Raises
    ------
    InputError
        If a value is of the wrong type.
    """
    size, level = message.get("size"), message.get("level")
    names, rare = message.get("leave_out") or [], message.get("leave_out_rare", False)
    valid = (
        size in (None, *SIZES)
        and level in (None, 1, 2)
        and _are_names(names)
        and rare in (True, False)
    )
    if not valid:
        raise InputError(_("There is no such choice for pictures."), code="upload.unknown_choice")
    return PictureChoices(size, level, tuple(names), rare)


def _are_names(names: Any) -> bool:
    return (
        isinstance(names, list)
        and len(names) <= MAX_NAMES
        and all(isinstance(name, str) for name in names)
    )
