"""The latency and the energy of a compressed file: in PyTorch here, or in a runtime."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np

from workbench.artifact.artifact import Artifact
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.export import export
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.target import Target
from workbench.deploy.timing import BUSY_SHARE, BUSY_SPREAD, Timing, benchmark
from workbench.domain import Model
from workbench.errors import InputError
from workbench.profiling import resources
from workbench.profiling.energy.energy import Energy
from workbench.profiling.energy.machine import Machine
from workbench.profiling.inference_energy import inference_energy
from workbench.study.trial import Cost

FIRST_SECONDS, SECONDS = 4.5, 1.2
"""Processor seconds to export a small network, to confirm and to time it; the first loads PyTorch's
exporter, which takes most of them."""
EXPORTER = "torch._dynamo"
"""A module of the exporter."""
ENERGY_SECONDS = 0.25
"""How long the network runs in PyTorch until its energy is known."""


def expected_seconds(target: Target | None) -> float:
    """Return the processor seconds that measuring a latency takes at least; 0 without a target."""
    if target is None:
        return 0.0
    return SECONDS if EXPORTER in sys.modules else FIRST_SECONDS


def measured_cost(
    model: Model,
    artifact: Artifact,
    target: Target | None = None,
    cancel: CancelToken = NEVER,
    *,
    energy: bool = False,
    fastest: bool = False,
) -> Cost:
    """Return what one example costs: the milliseconds, and the energy if it is wanted.

    The milliseconds are the median of repeated calls or, with `fastest`, those of the fastest call.
    Other work of the machine lengthens most calls, but rarely all, so that two files are compared
    better by their fastest ones.

    Without a target, the network runs in PyTorch in this process. With one, the file is exported,
    confirmed on every validation example, and timed in a process of its own.

    Raises
    ------
    InputError
        If the runtime is not installed, or the network cannot be exported.
    Cancelled
        If `cancel` is cancelled.
    """
    if target is not None:
        timing = _in_runtime(artifact, target, cancel)
        counted = _counted(timing.energy) if energy else None
        milliseconds = timing.minimum if fastest else timing.median
        return Cost(milliseconds, counted, busy=timing.busy)
    cost = _here(model, artifact, cancel, fastest=fastest)
    if not energy:
        return cost
    counts = inference_energy(artifact, batch=1, repeats=1, seconds=ENERGY_SECONDS, cancel=cancel)
    return replace(cost, energy=_counted(counts.energy))


def _counted(energy: Energy) -> Energy:
    """Return the energy of one of 1,000 examples; it is not known if no counter measured it.

    The readings of a counter may end at any time, and an estimate is not comparable with them.
    """
    if energy.how == "counter":
        return energy.scaled(1e-3)
    return Energy.unknown(*energy.notes, scopes=energy.scopes)


def _here(model: Model, artifact: Artifact, cancel: CancelToken, *, fastest: bool) -> Cost:
    shaped, weights = model.with_spec(artifact.spec), artifact.operands()
    begin, processor = time.perf_counter(), time.process_time()
    if fastest:
        runs = resources.runs_of_one(shaped, weights, cancel=cancel)
        low, shown, high = np.quantile(runs, (0.1, 0, 0.9))
    else:
        summary = resources.latency(shaped, weights, cancel=cancel)["batch_1"]
        low, shown, high = summary["p10"], summary["median"], summary["p90"]
    share = (time.process_time() - processor) / (time.perf_counter() - begin)
    return Cost(float(shown), busy=bool(share < BUSY_SHARE or high > BUSY_SPREAD * low))


def check_energy_counter(advice: str = "leave max_energy_mj out") -> None:
    """Check that the processor has an energy counter that this process can read.

    A sensor is no substitute: it is updated once in a second, and so the energy of a recipe would
    take minutes. An estimate from processor time is a multiple of the latency.

    Parameters
    ----------
    advice
        What to do without one.

    Raises
    ------
    InputError
        If it has none.
    """
    opened = Machine().open(gpus=False)
    if not opened.has_counter:
        raise InputError(
            f"No energy can be measured here, so {advice}: {' '.join(opened.notes)}",
            code="study.no_energy_counter",
        )


def _in_runtime(artifact: Artifact, target: Target, cancel: CancelToken) -> Timing:
    if RUNTIMES[target.runtime].fixed_batch:
        target = replace(target, batch=1)
    package = export(artifact, target)
    cancel.check()
    threads = (target.threads,)
    return benchmark([package], batches=(1,), threads=threads, cancel=cancel).timings[0]
