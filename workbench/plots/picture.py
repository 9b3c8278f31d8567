"""Display a figure in Jupyter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.plots.style import Figure

MIME = "application/vnd.plotly.v1+json"


@dataclass(frozen=True)
class Picture:
    """A figure that Jupyter can display."""

    figure: Figure

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        title = self.figure["layout"]["title"]["text"]
        config = {"displayModeBar": False}
        return {MIME: {**self.figure, "config": config}, "text/plain": title}
