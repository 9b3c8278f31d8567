"""Which recipes are tried first: measure many on built-in models and choose those that help most.

python benchmarks/study_prior.py [--quick]

Writes `workbench/study/prior.json`. A demand is a model and the loss of its metric that is
tolerated. Recipes are chosen one after the other: each is the one that reduces the file sizes that
all demands can have so far by the largest factor, averaged over the demands.
"""

from __future__ import annotations

import json
import sys
from math import log
from pathlib import Path

import workbench as wb
from workbench.domain.applicable import can_act
from workbench.study.measurement import SPLIT, Job, measure_trial
from workbench.study.space import Space, without_idle_parts
from workbench.study.trial import Trial

MODELS = ("fashion/lenet5", "fashion/cnn-10k", "fashion/mlp-32", "reviews/bag", "vowels/gru")
QUICK = ("fashion/mlp-32",)
LOSSES = (0.003, 0.01, 0.03, 0.1)
TARGET = Path(__file__).parents[1] / "workbench" / "study" / "prior.json"
CHOSEN = 20
SPACES = (
    Space(
        {"prune.sparsity": [0, 0.4, 0.6, 0.7, 0.8, 0.9], "quantize.bits": [2, 3, 4, 5, 6, 8]},
        wb.Recipe(wb.Quantize(range="mse")),
    ),
    Space({"structure.removed": [0.1, 0.2, 0.5], "quantize.bits": [4, 8]}),
    Space({"factorize.keep": [0.8, 0.9, 0.95], "quantize.bits": [4, 5, 8]}),
    Space({"share.clusters": [8, 16, 32], "prune.sparsity": [0, 0.6]}),
)

Demand = tuple[str, float]


def acts(model: wb.Model, recipe: wb.Recipe) -> bool:
    """Return whether all parts of a recipe can act on a model."""
    return all(can_act(model, part, "") for part in recipe.as_dict())


def allowed(model: wb.Model, trial: Trial) -> list[Demand]:
    """Return the demands on a model that a trial meets."""
    original, metric = model.metric_value(SPLIT), model.task.metric
    loss = metric.sort_key(original) - metric.sort_key(trial.value)
    return [(model.name, tolerated) for tolerated in LOSSES if loss <= tolerated]


def main(quick: bool) -> None:
    """Measure, choose and write."""
    spaces = [without_idle_parts(recipe) for space in SPACES for recipe in space]
    recipes = list(dict.fromkeys(spaces))
    gains: dict[wb.Recipe, dict[Demand, float]] = {recipe: {} for recipe in recipes}
    for name in QUICK if quick else MODELS:
        model = wb.model(name)
        for recipe in recipes:
            if acts(model, recipe):
                trial = measure_trial(model, Job(recipe))
                for demand in allowed(model, trial) if trial.exact else ():
                    gains[recipe][demand] = log(model.original_bytes / trial.bytes)
        print(name, flush=True)
    reached: dict[Demand, float] = {}

    def gain(recipe: wb.Recipe) -> float:
        return sum(max(0.0, g - reached.get(d, 0.0)) for d, g in gains[recipe].items())

    chosen = []
    while len(chosen) < CHOSEN and (best := max(recipes, key=gain)) and gain(best) > 0:
        print(f"{gain(best):7.3f} {best.to_json()}")
        chosen.append(best)
        for demand, value in gains[best].items():
            reached[demand] = max(reached.get(demand, 0.0), value)
    if not quick:
        content = {"recipes": [recipe.as_dict() for recipe in chosen]}
        TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main("--quick" in sys.argv)
