"""Predicted seconds: ideal seconds by kind of work, each times a fitted coefficient."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.planner.architecture import Architecture
from workbench.planner.chips import Chip
from workbench.planner.coefficients import REPLICATED, Fit, fit, is_fitted
from workbench.planner.comparable import is_replicated
from workbench.planner.inference_work import decode_work, prefill_work, shared_seconds
from workbench.planner.jobs import InferenceJob, TrainingJob
from workbench.planner.links import REDUCED, link_work
from workbench.planner.work import Work, training_work

HOST_FORWARD = 0.36e-3
"""Seconds in which Python starts the kernels of a layer's forward pass, from the smallest rows."""
HOST_STEP = 2e-3
"""Seconds of Python per step outside the layers."""


@dataclass(frozen=True)
class Seconds:
    """Predicted seconds and their parts by kind of work."""

    total: float
    parts: dict[str, float]
    is_calibrated: bool


def stack_of(job: TrainingJob, chip: Chip) -> str:
    """Return whose rows describe a training job: one chip without sharding, or several.

    A chip of which only sharded rows exist is described by those.
    """
    if is_replicated(job):
        return REPLICATED
    only_sharded = is_fitted("sharded", chip.id) and not is_fitted("pytorch", chip.id)
    return "sharded" if job.chips > 1 or only_sharded else "pytorch"


def step_work(
    architecture: Architecture,
    job: TrainingJob,
    chip: Chip,
    microbatches: float | None = None,
    reduced: float = REDUCED,
) -> Work:
    """Return the ideal seconds of a step by kind, with all its microbatches."""
    repeated, once = _step_work(architecture, job, chip, microbatches, reduced)
    return {name: seconds + once.get(name, 0.0) for name, seconds in repeated.items()}


def _step_work(
    architecture: Architecture,
    job: TrainingJob,
    chip: Chip,
    microbatches: float | None,
    reduced: float,
) -> tuple[Work, Work]:
    """Return the ideal seconds of all microbatches, and of what happens once per step."""
    count = job.accumulation if microbatches is None else microbatches
    work = training_work(architecture, job, chip)
    links, once = link_work(architecture, job, chip, reduced)
    once["optimizer"] = work.pop("optimizer")
    repeated = {name: seconds * count for name, seconds in {**work, **links}.items()}
    return {**repeated, "optimizer": 0.0}, once


def step_seconds(
    architecture: Architecture,
    job: TrainingJob,
    chip: Chip,
    microbatches: float | None = None,
    reduced: float = REDUCED,
    stack: str | None = None,
) -> Seconds:
    """Return the seconds of a training step.

    A pipeline of p stages in v parts waits for (p - 1) / (m v) of the time of its m microbatches,
    without what happens once per step.
    A small model is as slow as Python starts its kernels. `stack` is the kind of program if it is
    not today's.
    """
    coefficients = fit(stack or stack_of(job, chip), chip.id)
    factor = chip.factor("training")
    repeated, once = (
        _timed(work, coefficients, factor)
        for work in _step_work(architecture, job, chip, microbatches, reduced)
    )
    parts = {name: seconds + once.get(name, 0.0) for name, seconds in repeated.items()}
    if job.pipeline > 1:
        rounds = job.accumulation * job.interleaving
        parts["waiting"] = sum(repeated.values()) * (job.pipeline - 1) / rounds
    host = _host_seconds(architecture, job)
    return _with_host(parts, host, chip, _is_calibrated(coefficients, chip, "training"))


def _host_seconds(architecture: Architecture, job: TrainingJob) -> float:
    layers = architecture.layers / job.pipeline
    passes = 2 + (1 if job.is_recomputed else 0)
    return layers * HOST_FORWARD * passes * job.accumulation + HOST_STEP


def prefill_seconds(architecture: Architecture, job: InferenceJob, chip: Chip) -> Seconds:
    """Return the seconds of reading all contexts."""
    coefficients = fit("prefill", chip.id)
    work = prefill_work(architecture, job, chip)
    parts = _timed(work, coefficients, chip.factor("prefill"))
    parts["exposed"] = shared_seconds(architecture, job, chip, job.tokens)
    host = architecture.layers * HOST_FORWARD
    return _with_host(parts, host, chip, _is_calibrated(coefficients, chip, "prefill"))


def decode_seconds(architecture: Architecture, job: InferenceJob, chip: Chip) -> Seconds:
    """Return the seconds of one more token for each sequence."""
    coefficients = fit("decode", chip.id)
    work = decode_work(architecture, job, chip)
    parts = _timed(work, coefficients, chip.factor("decode"))
    parts["exposed"] = shared_seconds(architecture, job, chip, job.batch)
    return Seconds(sum(parts.values()), parts, _is_calibrated(coefficients, chip, "decode"))


def _timed(work: Work, used: Fit, factor: float | None) -> dict[str, float]:
    return {name: seconds * used.terms[name] * (factor or 1.0) for name, seconds in work.items()}


def _is_calibrated(used: Fit, chip: Chip, kind: str) -> bool:
    return used.is_calibrated or chip.factor(kind) is not None


def _with_host(parts: dict[str, float], host: float, chip: Chip, is_calibrated: bool) -> Seconds:
    """Return parts with the time that the chip waits for Python, if it does."""
    busy = sum(parts.values())
    if chip.kind == "gpu" and host > busy:
        parts = {**parts, "waiting": parts.get("waiting", 0.0) + host - busy}
    return Seconds(max(busy, host if chip.kind == "gpu" else 0.0), parts, is_calibrated)
