"""Places for labels in the trade-off, so that they cover neither points, lines nor each other.

The browser sizes the picture, so places are found for the plot of a phone, `WIDTH` by `HEIGHT` px.
In a larger plot, labels have the same size and their points are farther apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

WIDTH, HEIGHT = 225.0, 230.0
CHARACTER, LINE = 7.2, 17.0
"""The size of a letter, in px."""
GAP = 4.0
"""Between a label and its line, in px."""
MARK = 9.0
"""From the center of a point to its edge, in px."""


Name = TypeVar("Name")


class Box(NamedTuple):
    """A rectangle in px from the lower left corner of the plot."""

    start: float
    bottom: float
    end: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Return whether the rectangles have a common area."""
        across = self.start < other.end and other.start < self.end
        return across and self.bottom < other.top and other.bottom < self.top


@dataclass(frozen=True)
class Places:
    """What is drawn already, on axes from `low` to `high` (x, y) in their units."""

    low: tuple[float, float]
    high: tuple[float, float]
    taken: list[Box] = field(default_factory=list)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the position of a point in px; outside the axes it is that of their end."""
        shares = (
            min(1.0, max(0.0, (value - low) / (high - low)))
            for value, low, high in zip((x, y), self.low, self.high, strict=True)
        )
        across, up = shares
        return across * WIDTH, up * HEIGHT

    def add_point(self, x: float, y: float, radius: float = MARK) -> None:
        """Record a point."""
        across, up = self.at(x, y)
        self.taken.append(Box(across - radius, up - radius, across + radius, up + radius))

    def add_line(self, *, x: float | None = None, y: float | None = None) -> None:
        """Record a line through the whole plot at a value of one axis, if that is inside."""
        if x is not None and self.low[0] <= x <= self.high[0]:
            across = self.at(x, 0.0)[0]
            self.taken.append(Box(across - 1, 0.0, across + 1, HEIGHT))
        if y is not None and self.low[1] <= y <= self.high[1]:
            up = self.at(0.0, y)[1]
            self.taken.append(Box(0.0, up - 1, WIDTH, up + 1))

    def choose(
        self, boxes: Mapping[Name, Box], *, right: float = 0.0, top: float = 0.0
    ) -> Name | None:
        """Return the name of the first free box, which is taken from now on; None if none is.

        Boxes may reach `right` and `top` px beyond the plot.
        """
        for name, box in boxes.items():
            inside = box.start >= 0 and box.end <= WIDTH + right
            inside = inside and box.bottom >= 0 and box.top <= HEIGHT + top
            if inside and not any(box.overlaps(other) for other in self.taken):
                self.taken.append(box)
                return name
        return None


def size(lines: Sequence[str]) -> tuple[float, float]:
    """Return width and height of a text in px."""
    return CHARACTER * max(map(len, lines), default=0), LINE * len(lines)


def around(center: tuple[float, float], text: str, mark: float = MARK) -> dict[str, Box]:
    """Return the boxes of a label around a point, by plotly's names, the preferred one first.

    Parameters
    ----------
    center
        The position of the point in px.
    text
        The label.
    mark
        From the center of the point to its edge, in px.
    """
    (x, y), (width, height) = center, size([text])
    return {
        "top center": Box(x - width / 2, y + mark, x + width / 2, y + mark + height),
        "bottom center": Box(x - width / 2, y - mark - height, x + width / 2, y - mark),
        "middle left": Box(x - mark - width, y - height / 2, x - mark, y + height / 2),
        "middle right": Box(x + mark, y - height / 2, x + mark + width, y + height / 2),
    }
