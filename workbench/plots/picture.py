"""Display a figure in Jupyter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure

MIME = "application/vnd.plotly.v1+json"


@dataclass(frozen=True)
class Picture:
    """A figure that Jupyter can display.

    Attributes
    ----------
    figure
    palette
        The colors of the figure.
    draw
        Draws the figure in other colors; None if it has one palette only.
    """

    figure: Figure
    palette: Palette = LIGHT
    draw: Callable[[Palette], Figure] | None = None

    def in_colors(self, palette: Palette) -> Picture:
        """Return the picture in the colors of `palette` if it can be drawn in them."""
        if palette == self.palette or self.draw is None:
            return self
        return Picture(self.draw(palette), palette, self.draw)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        # The background is opaque, because these colors may not be those of the page.
        layout = {**self.figure["layout"], "paper_bgcolor": self.palette.panel}
        figure = {**self.figure, "layout": layout, "config": {"displayModeBar": False}}
        return {MIME: figure, "text/plain": layout["title"]["text"]}
