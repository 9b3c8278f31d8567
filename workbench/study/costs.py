"""Time the files of a study, and what times depend on in addition to the file."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import torch

from workbench.artifact.artifact import Artifact
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.runtimes import RUNTIMES
from workbench.domain import Model
from workbench.errors import Cancelled, InputError, WorkbenchError, user_errors
from workbench.experiments.machine import processor
from workbench.profiling.energy.energy import Energy
from workbench.study.latency import check_energy_counter, measured_cost
from workbench.study.objectives import ENERGY
from workbench.study.reasons import energy_of_one
from workbench.study.study import Study
from workbench.study.trial import Cost, Trial
from workbench.threads import threads
from workbench.training.compress import compress

TRIES = 3
STATISTIC = ", fastest calls"
"""Logs of earlier versions hold medians, with which these times are not comparable."""


def check_costs(study: Study) -> None:
    """Check that the costs of a study can be measured here.

    Raises
    ------
    InputError
        If the runtime is not installed, or there is no energy counter.
    """
    if study.target is not None:
        RUNTIMES[study.target.runtime].check_installed()
    if ENERGY in study.objectives:
        check_energy_counter("leave energy out of the objectives")


def timed_on(study: Study) -> str:
    """Return the processor and the versions that times of a study depend on; empty without any."""
    if not study.is_timed:
        return ""
    if study.target is None:
        software = f"torch {torch.__version__}"
    else:
        versions = RUNTIMES[study.target.runtime].versions()
        software = ", ".join(f"{name} {number}" for name, number in versions.items())
    return f"{processor()} with {software}{STATISTIC}"


def time_file(model: Model, study: Study, trial: Trial, cancel: CancelToken = NEVER) -> Cost:
    """Return what one example of the file of an exact trial costs, in this process.

    The time is that of the fastest call, by which files are compared, and not the median. In a
    runtime, the network is confirmed on every validation example first. While other work of the
    machine disturbs the calls, they are repeated, at most `TRIES` times in all, and the fastest of
    all counts. If the cost cannot be measured, it holds the sentence that says why.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled.
    """
    cancel.check()
    try:
        with user_errors("The file cannot be timed", code="study.not_timed"):
            artifact = compress(model, trial.recipe, cancel=cancel)
            if artifact.digest != trial.file:
                raise InputError(
                    "This process creates a different file than the one that was evaluated, so it "
                    "is not timed: train on one kind of machine only.",
                    code="study.other_file",
                )
            cost = _least_disturbed(model, artifact, study, cancel)
    except Cancelled:
        raise
    except WorkbenchError as error:
        return Cost(sentence=str(error))
    if ENERGY in study.objectives and cost.millijoules is None:
        return Cost(sentence=energy_of_one(cost.energy or Energy.unknown()))
    return cost


def _least_disturbed(model: Model, artifact: Artifact, study: Study, cancel: CancelToken) -> Cost:
    target, energy = study.target, ENERGY in study.objectives
    costs: list[Cost] = []
    # Several threads of PyTorch wait for each other as soon as the machine has other work.
    with threads(1) if target is None else nullcontext():
        while len(costs) < TRIES and all(cost.busy for cost in costs):
            cost = measured_cost(model, artifact, target, cancel, energy=energy, fastest=True)
            costs.append(cost)
    fastest = min(cost.milliseconds or 0.0 for cost in costs)
    return replace(min(costs, key=lambda cost: cost.busy), milliseconds=fastest)
