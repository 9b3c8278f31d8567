"""The latency and the energy of a compressed file: in PyTorch here, or in a runtime."""

from __future__ import annotations

import sys

from workbench.artifact.artifact import Artifact
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.export import export
from workbench.deploy.target import Target
from workbench.deploy.timing import Timing, benchmark
from workbench.domain import Model
from workbench.errors import InputError
from workbench.profiling import resources
from workbench.profiling.energy.energy import Energy
from workbench.profiling.energy.machine import Machine
from workbench.profiling.inference_energy import inference_energy

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


def latency_ms(
    model: Model, artifact: Artifact, target: Target | None = None, cancel: CancelToken = NEVER
) -> float:
    """Return the median milliseconds of one example.

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
        return _in_runtime(artifact, target, cancel).median
    shaped = model.with_spec(artifact.spec)
    times = resources.latency(shaped, artifact.operands(), cancel=cancel)
    return float(times["batch_1"]["median"])


def latency_and_energy(
    model: Model, artifact: Artifact, target: Target | None = None, cancel: CancelToken = NEVER
) -> tuple[float, Energy]:
    """Return the median milliseconds and the energy of one example, one after the other.

    Raises
    ------
    InputError, Cancelled
        As for `latency_ms`.
    """
    if target is not None:
        timing = _in_runtime(artifact, target, cancel)
        return timing.median, timing.energy.scaled(1e-3)
    milliseconds = latency_ms(model, artifact, cancel=cancel)
    counted = inference_energy(artifact, batch=1, repeats=1, seconds=ENERGY_SECONDS, cancel=cancel)
    return milliseconds, counted.energy.scaled(1e-3)


def check_energy_counter() -> None:
    """Check that the processor has an energy counter that this process can read.

    A sensor is no substitute: it is updated once in a second, and so the energy of a recipe would
    take minutes. An estimate from processor time is a multiple of the latency.

    Raises
    ------
    InputError
        If it has none.
    """
    opened = Machine().open(gpus=False)
    if opened.processor.how != "counter":
        raise InputError(
            "The energy cannot be limited here, so leave max_energy_mj out: "
            f"{' '.join(opened.notes)}",
            code="study.no_energy_counter",
        )


def _in_runtime(artifact: Artifact, target: Target, cancel: CancelToken) -> Timing:
    package = export(artifact, target)
    cancel.check()
    threads = (target.threads,)
    return benchmark([package], batches=(1,), threads=threads, cancel=cancel).timings[0]
