"""In what the tensors of a file differ from those of a module, as the end of a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import eq

Shape = tuple[int, ...] | None
Shapes = Mapping[str, Shape]

NAMED = 3
"""Names that a sentence lists before it only counts."""


def differences(found: Shapes, own: Shapes, fits: Callable[[Shape, Shape], bool] = eq) -> str:
    """Return what is missing, too much, or of a shape that does not fit; nothing where all fits.

    Parameters
    ----------
    found, own
        Shapes by name: of the file, and of the module.
    fits
        Says of two shapes whether the first may stand for the second.
    """
    missing = [name for name in own if name not in found]
    unexpected = [name for name in found if name not in own]
    said = [f"{_listed(missing)} {_are(missing)} missing"] if missing else []
    if unexpected:
        said.append(f"{_listed(unexpected)} {_are(unexpected)} not in the module")
    if said:
        return ", and ".join(said)
    wrong = [name for name, shape in found.items() if not fits(shape, own[name])]
    if not wrong:
        return ""
    return (
        f"{_listed(wrong)} {_have(wrong)} another shape, such as {found[wrong[0]]} where the "
        f"module has {own[wrong[0]]}"
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"
