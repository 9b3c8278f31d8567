"""The form: what a file's module differs in from the model's own, as short plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from workbench.errors import ArtifactError

VERSION = 1
LARGEST_BITS = 8


@dataclass(frozen=True)
class InputQParams:
    """How the inputs of a layer are rounded: value = (code − zero point) · scale."""

    bits: int
    scale: float
    zero_point: int

    @property
    def top(self) -> int:
        """The largest code."""
        return int(2**self.bits) - 1


@dataclass(frozen=True)
class ModuleSpec:
    """The rewrites that a module needs before it runs on a file's weights.

    Attributes
    ----------
    width, left_out : float, int
        The share of channels and neurons, 0 to 1, that the module was built with, and how many of
        its layers or blocks it lacks.
    narrowed : bool
        Whether channels were removed; the tensors' shapes say how many are left.
    folded : tuple
        Pairs of a batch norm and the layer it became part of, each by its path in the module.
    inputs : tuple
        Pairs of a layer's path and the `InputQParams` that its inputs are rounded to.
    """

    width: float = 1.0
    left_out: int = 0
    narrowed: bool = False
    folded: tuple[tuple[str, str], ...] = ()
    inputs: tuple[tuple[str, InputQParams], ...] = ()

    @property
    def smaller(self) -> bool:
        """Whether the module has fewer weights than the model's own, and multiplies less."""
        return self.narrowed or (self.width, self.left_out) != (1.0, 0)

    def as_list(self) -> list[list[Any]]:
        """Return plain data for JSON: each rewrite with its name and version."""
        found: list[list[Any]] = []
        if (self.width, self.left_out) != (1.0, 0):
            found.append(["build", VERSION, self.width, self.left_out])
        if self.narrowed:
            found.append(["narrow", VERSION])
        if self.folded:
            found.append(["fold", VERSION, dict(self.folded)])
        if self.inputs:
            grids = {path: [g.bits, g.scale, g.zero_point] for path, g in self.inputs}
            found.append(["round inputs", VERSION, grids])
        return found

    @classmethod
    def from_list(cls, data: Any) -> ModuleSpec:
        """Read what `as_list` wrote.

        Raises
        ------
        ArtifactError
            When it holds a rewrite that this version does not know, or one that makes no sense.
        """
        width, left_out, narrowed, folded, grids = 1.0, 0, False, {}, {}
        if not isinstance(data, list):
            raise ArtifactError("The file does not say its form: it is damaged.")
        for entry in data:
            match entry:
                case ["build", 1, float() as width, left_out] if _is_size(width, left_out):
                    pass
                case ["narrow", 1]:
                    narrowed = True
                case ["fold", 1, dict() as pairs] if all(map(_is_path, pairs.values())):
                    folded = pairs
                case ["round inputs", 1, dict() as layers] if all(map(_is_grid, layers.values())):
                    grids = {path: InputQParams(*numbers) for path, numbers in layers.items()}
                case _:
                    raise ArtifactError(
                        "The file needs rewrites this version does not know: upgrade Workbench."
                    )
        found = cls(width, left_out, narrowed, tuple(folded.items()), tuple(grids.items()))
        if found.as_list() != data:
            raise ArtifactError("The file's rewrites are not in their order: it is damaged.")
        return found


UNCHANGED = ModuleSpec()
"""The model's own module."""


def _is_path(value: Any) -> bool:
    return isinstance(value, str)


def _is_size(width: float, left_out: Any) -> bool:
    whole = isinstance(left_out, int) and not isinstance(left_out, bool)
    return 0 < width <= 1 and whole and left_out >= 0


def _is_grid(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 3:
        return False
    bits, scale, zero_point = value
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in (bits, zero_point))
    if not whole or not isinstance(scale, float) or not math.isfinite(scale) or scale <= 0:
        return False
    return bool(2 <= bits <= LARGEST_BITS and 0 <= zero_point < 2**bits)
