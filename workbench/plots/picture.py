"""A figure that a notebook shows as a cell's last value, or keeps up to date in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.plots.style import Figure

MIME = "application/vnd.plotly.v1+json"


@dataclass(frozen=True)
class Picture:
    """Wraps a figure in what Jupyter asks of things that show themselves."""

    figure: Figure

    def _repr_mimebundle_(self, **_wanted: Any) -> dict[str, Any]:
        title = self.figure["layout"]["title"]["text"]
        config = {"displayModeBar": False}
        return {MIME: {**self.figure, "config": config}, "text/plain": title}
