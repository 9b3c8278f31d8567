"""Describe how the tensors of a file differ from those of a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import eq

from workbench.formatting import names

Shape = tuple[int, ...] | None
Shapes = Mapping[str, Shape]

NAMED = 3
"""Number of names that a message lists; the others are counted."""


def differences(
    in_file: Shapes, in_module: Shapes, fits: Callable[[Shape, Shape], bool] = eq
) -> str:
    """Return missing and unexpected names and shapes that do not fit; empty if all fit.

    Parameters
    ----------
    in_file, in_module
        Shapes by name.
    fits
        Whether a shape of the file fits a shape of the module.
    """
    missing = [name for name in in_module if name not in in_file]
    unexpected = [name for name in in_file if name not in in_module]
    parts = [f"{names(missing, NAMED)} {_are(missing)} missing"] if missing else []
    if unexpected:
        parts.append(f"{names(unexpected, NAMED)} {_are(unexpected)} not in the module")
    if parts:
        return ", and ".join(parts)
    wrong = [name for name, shape in in_file.items() if not fits(shape, in_module[name])]
    if not wrong:
        return ""
    return (
        f"{names(wrong, NAMED)} {_have(wrong)} another shape, such as {in_file[wrong[0]]} instead "
        f"of {in_module[wrong[0]]}"
    )


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"
