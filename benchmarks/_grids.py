"""Full grids of recipes, measured exactly, that several benchmarks of studies compare with."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import workbench as wb
from workbench.cache.results import ResultCache
from workbench.study import Space, Study, measurement
from workbench.study.log import StudyLog
from workbench.study.measurement import Job, measure_trial
from workbench.study.trial import Trial

GRID = Space(
    {
        "prune.sparsity": [round(0.05 * step, 2) for step in range(20)],
        "quantize.bits": [2, 3, 4, 5, 6],
        "quantize.range": ["minmax", "mse"],
        "prune.scope": ["global", "uniform"],
    }
)
SMALL_GRID = Space(
    {
        "prune.sparsity": [0, 0.3, 0.5, 0.7, 0.9],
        "quantize.bits": [2, 3, 4, 6],
        "quantize.range": ["minmax", "mse"],
    }
)
FAST = (
    "fashion/mlp-32",
    "fashion/lenet-300-100",
    "fashion/cnn-10k",
    "reviews/bag",
    "vowels/gru",
    "fashion/lenet5",
)
"""Six models of pictures, texts and sound that evaluate a recipe in less than a second."""
FOLDER = Path(os.environ.get("GRIDS") or tempfile.mkdtemp())
"""Where grids are kept. With the environment variable GRIDS, they are measured only once."""


def empty_store() -> None:
    """Forget all results, so that everything is measured; processes that start later have none."""
    os.environ["WORKBENCH_STORE"] = ""
    store = ResultCache()
    measurement.__dict__["default_result_cache"] = lambda: store


def full_grid(model: wb.Model, space: Space) -> list[Trial]:
    """Return the exact trials of all recipes, from the log of an earlier run if there is one."""
    study = Study.of(model, space, sampler="grid")
    empty_store()
    with StudyLog(FOLDER / f"{study.digest}.jsonl", study.as_dict()) as log:
        for recipe in dict.fromkeys(space):
            if recipe.to_json() not in log.trials:
                log.add(measure_trial(model, Job(recipe)))
        return list(log.trials.values())


def new_log() -> Path:
    """Return the path of a log that does not exist."""
    return Path(tempfile.mkdtemp()) / "log.jsonl"
