"""Measure how fast executors of studies are."""

from __future__ import annotations

import time
from typing import Any

import psutil
import torch
from _grids import empty_store, new_log

import workbench as wb
from workbench.study import Study, run_study
from workbench.study.executors import Dask
from workbench.study.result import StudyResult

ROUND = 16
"""Recipes of a round; rates and processor times begin after the first, when workers are warm."""


def processor_seconds() -> float:
    """Return the processor time of this process and all that it has started, in seconds."""
    this = psutil.Process()
    times = [process.cpu_times() for process in (this, *this.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def measured(model: wb.Model, study: Study, executor: Any) -> tuple[float, float, list[Any]]:
    """Return the recipes per second, the processor's ms for each, and the trials."""
    torch.set_num_threads(2)
    empty_store()
    times: list[float] = []
    used: list[float] = []

    def update(result: StudyResult) -> None:
        times.append(time.perf_counter())
        if len(times) in {ROUND, study.recipes}:
            used.append(processor_seconds())

    result = run_study(model, study, log=new_log(), executor=executor, on_update=update)
    trials = [(t.recipe, t.state, t.bytes, t.file, t.value) for t in result.trials]
    recipes = len(trials) - ROUND
    rate = recipes / (times[len(trials) - 1] - times[ROUND - 1])
    return rate, 1000 * (used[1] - used[0]) / recipes, trials


SLOWER = {
    "distributed.admin.tick.interval": "1s",
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.worker.profile.enabled": False,
}
"""Settings with which a Dask cluster measures itself less."""


def on_dask(
    model: wb.Model, study: Study, settings: dict[str, Any]
) -> tuple[float, float, list[Any]]:
    """Return the same as `measured`, on a cluster of this machine with these settings."""
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set(settings),
        LocalCluster(2, threads_per_worker=1, dashboard_address=":0") as local,
    ):
        return measured(model, study, Dask(local.scheduler_address))
