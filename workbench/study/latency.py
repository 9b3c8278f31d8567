"""The latency of a compressed file: in PyTorch here, or in an inference runtime."""

from __future__ import annotations

import sys

from workbench.artifact.artifact import Artifact
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.export import export
from workbench.deploy.target import Target
from workbench.deploy.timing import benchmark
from workbench.domain import Model
from workbench.profiling import resources

FIRST_SECONDS, SECONDS = 4.5, 1.2
"""Processor seconds to export a small network, to confirm and to time it; the first loads PyTorch's
exporter, which takes most of them."""
EXPORTER = "torch._dynamo"
"""A module of the exporter."""


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
        package, threads = export(artifact, target), (target.threads,)
        cancel.check()
        timings = benchmark([package], batches=(1,), threads=threads, cancel=cancel).timings
        return timings[0].median
    shaped = model.with_spec(artifact.spec)
    times = resources.latency(shaped, artifact.operands(), cancel=cancel)
    return float(times["batch_1"]["median"])
