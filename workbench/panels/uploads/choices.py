"""The choices about a table, pictures or a checkpoint, from a message of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.custom.pictures.inspection import SIZES, PictureChoices
from workbench.custom.tables.encodings import NAMES
from workbench.custom.tables.inspection import Choices
from workbench.errors import InputError
from workbench.i18n import _
from workbench.recipe import Quantize, Recipe

MAX_NAMES = 1_000
"""Columns or classes that may be left out: as many as a table may have."""


BITS: dict[int, dict[str, Any]] = {
    16: {"bits": 16},
    8: {"bits": 8},
    4: {"bits": 4, "granularity": "group", "group_size": 64},
}
"""The bits of a weight that the page offers for a checkpoint, and their settings."""
MAX_TENSORS = 200_000


@dataclass(frozen=True)
class CheckpointChoices:
    """What the user chose for a checkpoint.

    Attributes
    ----------
    bits : int
        A key of `BITS`.
    leave_out : tuple of str
        The tensors that stay as they are.
    """

    bits: int = 8
    leave_out: tuple[str, ...] = ()

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of `Quantize` that are set."""
        return BITS[self.bits] | ({"exclude": self.leave_out} if self.leave_out else {})

    @property
    def recipe(self) -> Recipe:
        """The recipe of these choices."""
        return Recipe(quantize=Quantize(**self.settings))


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
    encoding = message.get("encoding")
    valid = (
        (target is None or isinstance(target, str))
        and _are_names(names)
        and as_number in (None, True, False)
        and header in (None, True, False)
        and missing in ("impute", "leave_out")
        and rare in (True, False)
        and (encoding is None or encoding in NAMES)
    )
    if not valid:
        raise InputError(_("There is no such choice for a table."), code="upload.unknown_choice")
    return Choices(target, as_number, tuple(names), header, missing, rare, encoding)


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


def checkpoint_choices(message: Mapping[str, Any]) -> CheckpointChoices:
    """Return the choices in a message; keys that are missing have their defaults.

    Raises
    ------
    InputError
        If a value is of the wrong type.
    """
    bits, names = message.get("bits", 8), message.get("leave_out") or []
    if type(bits) is not int or bits not in BITS or not _are_names(names, MAX_TENSORS):
        raise InputError(_("There is no such choice for weights."), code="upload.unknown_choice")
    return CheckpointChoices(bits, tuple(names))


def _are_names(names: Any, most: int = MAX_NAMES) -> bool:
    return (
        isinstance(names, list)
        and len(names) <= most
        and all(isinstance(name, str) for name in names)
    )
