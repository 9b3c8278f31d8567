"""A part of a stacked bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.plots.palette import Palette


@dataclass(frozen=True)
class Kind:
    """A kind of bytes: its field in the data, its label, and a pattern in addition to the color."""

    field: str
    label_id: str
    pattern: str

    def marker(self, color: str, palette: Palette) -> dict[str, Any]:
        """Return the look of its bars: the pattern over the color."""
        return {
            "color": color,
            "line": {"width": 0},
            "pattern": {
                "shape": self.pattern,
                "fillmode": "overlay",
                "fgcolor": palette.panel,
                "fgopacity": 0.7,
                "size": 6,
                "solidity": 0.25,
            },
        }
