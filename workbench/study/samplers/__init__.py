"""How a study chooses recipes. A sampler is a pure function of the study and of its trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.recipe import Recipe
from workbench.study.samplers.by_layer import by_layer
from workbench.study.samplers.directed import directed
from workbench.study.samplers.evolution import evolution
from workbench.study.samplers.optuna import tpe
from workbench.study.samplers.space_filling import grid_search, sobol
from workbench.study.samplers.surrogate import surrogate
from workbench.study.trial import Trial

Sampler = Callable[[Any, Any, Sequence[Trial], int], list[Recipe]]
"""Takes the model, the study, the trials so far and a number; returns at most as many recipes that
are new. An empty list ends the study."""

SAMPLERS: dict[str, Sampler] = {
    "grid": grid_search,
    "sobol": sobol,
    "surrogate": surrogate,
    "evolution": evolution,
    "directed": directed,
    "by_layer": by_layer,
    "tpe": tpe,
}
