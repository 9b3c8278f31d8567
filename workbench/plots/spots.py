"""The points of the trade-off: files with their size and their metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _

MAX_SHOWN = 300
"""How many visited points are drawn: the best and the newest."""


@dataclass(frozen=True)
class Spot:
    """One file: its size in bytes, and its metric with bounds, which are equal if it is exact."""

    bytes: int
    value: float
    low: float
    high: float
    key: int = 0
    """The value that a click on the spot returns."""
    trained: bool = False
    """Whether the recipe trains; drawn as a triangle."""
    preview: bool = False
    """Whether it is the baseline of a file that is still being compressed."""

    @property
    def exact(self) -> bool:
        """Whether the metric is exact and of the file itself."""
        return bool(self.low == self.high) and not self.preview  # NumPy's bool is no JSON


@dataclass(frozen=True)
class Landmark:
    """A labeled point that is known beforehand.

    Attributes
    ----------
    label : str
    spot : Spot
    kind : str
        "preset", which a click selects by `name`, or by `recipe` and `model`; "student", a
        distilled model; or "alone", the same model trained on labels alone.
    name : str
    recipe, model : str
        The recipe as JSON, and the network if it is another one.
    """

    label: str
    spot: Spot
    kind: str = "preset"
    name: str = ""
    recipe: str = ""
    model: str = ""

    @property
    def message(self) -> dict[str, str]:
        """What a click asks for."""
        if not self.recipe:
            return {"act": "preset", "key": self.name, "label": self.label}
        message = {"act": "choose_recipe", "recipe": self.recipe, "label": self.label}
        return message | ({"model": self.model} if self.model else {})


def pareto(spots: Sequence[Spot], metric: Metric = ACCURACY) -> list[Spot]:
    """Return the spots on the Pareto front of size and metric, smallest first."""
    best: list[Spot] = []
    sign = -1 if metric.higher_is_better else 1
    for spot in sorted(spots, key=lambda s: (s.bytes, sign * s.value)):
        if not best or metric.better(spot.value, best[-1].value):
            best.append(spot)
    return best


def thin(visited: Sequence[Spot], metric: Metric) -> list[Spot]:
    """Return the spots to draw: all, or the best and the newest `MAX_SHOWN`."""
    if len(visited) <= MAX_SHOWN:
        return list(visited)
    newest = list(visited[-MAX_SHOWN // 2 :])
    return [
        *[spot for spot in pareto(visited, metric) if spot not in newest][: MAX_SHOWN // 2],
        *newest,
    ]


def hover_text(spot: Spot, original: Spot, metric: Metric, line: str = "<br>") -> str:
    """Return metric, change and size of a spot, separated by `line` breaks."""
    change = metric.difference(spot.value, original.value)
    value = metric.format(spot.value)
    if not spot.exact:
        value = f"{metric.format(spot.low)} – {metric.format(spot.high)}"
    trained = f"{line}{_('trained')}" if spot.trained else ""
    return f"{value} ({change}){line}{formatting.nbytes(spot.bytes)}{trained}"
