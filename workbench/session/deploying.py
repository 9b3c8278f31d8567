"""The inference runtimes of a session: how far the current file has come there."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from workbench.cancel import CancelToken
from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.cache.results import ResultCache
    from workbench.deploy.deployment import Deployment
    from workbench.deploy.target import Target
    from workbench.domain import Model


VERSION = 1
"""Incremented when the fields of a kept deployment change."""
ROUNDED_BITS = 4
"""The bits of weights whose products have a variant with rounded inputs."""


@dataclass(frozen=True)
class Deploying:
    """A file in inference runtimes, as far as it is known.

    Attributes
    ----------
    model : str
        The model of the file.
    recipe : Recipe
        The recipe of the file.
    targets : tuple of Target
        Runtimes and precisions.
    state : str
        "working", "timing", "done", "stopped" or "failed"; "reading" while the results of an
        earlier run are read.
    fraction : float
        Of the timing, from 0 to 1.
    deployment : Deployment or None
        Once the file is created.
    error : str
        Why it failed, or empty.
    time : float or None
        When an earlier run ended that is shown again, in seconds since 1970.
    """

    model: str
    recipe: Recipe
    targets: tuple[Target, ...]
    state: str = "working"
    fraction: float = 0.0
    deployment: Deployment | None = None
    error: str = ""
    time: float | None = None

    @property
    def running(self) -> bool:
        """Whether more will come."""
        return self.state in ("working", "timing")


def deploy_file(
    deploying: Deploying,
    model: Model,
    store: ResultCache,
    cancel: CancelToken,
    publish: Callable[[Deploying], None],
) -> None:
    """Create the file, export, confirm and time it, and publish each change.

    An error is part of what is published.
    """
    publish(deploying)

    def change(**fields: object) -> None:
        nonlocal deploying
        deploying = replace(deploying, **fields)  # type: ignore[arg-type]
        publish(deploying)

    try:
        from workbench.deploy.deployment import deploy  # loads torch
        from workbench.deploy.deployment_record import deployment_record
        from workbench.training.compress import compress

        artifact = compress(model, deploying.recipe, cancel=cancel)

        def show(deployment: Deployment) -> None:
            change(deployment=deployment, state="working")

        def on_timing(fraction: float) -> None:
            change(state="timing", fraction=fraction)

        deploy(artifact, deploying.targets, store, show, cancel=cancel.reporting(on_timing))
        if deploying.deployment is not None:
            store.put(_key(model, deploying.recipe), deployment_record(deploying.deployment))
    except Cancelled:
        change(state="stopped")
    except WorkbenchError as error:
        change(state="failed", error=str(error))
    except BaseException:  # the banner names it
        change(state="failed", error=_("The run has ended with an unexpected error."))
        raise
    else:
        change(state="done")


def is_kept(model: Model, recipe: Recipe, store: ResultCache) -> bool:
    """Return whether a run of this file has finished on this machine before."""
    return store.get(_key(model, recipe)) is not None


def read_deployment(
    model: Model, recipe: Recipe, store: ResultCache, cancel: CancelToken
) -> Deploying | None:
    """Return the last finished run of this file on this machine; None if it is not kept.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled.
    """
    record = store.get(_key(model, recipe))
    if record is None:
        return None
    token = CancelToken(lambda: cancel.cancelled)
    try:
        from workbench.deploy.deployment_record import deployment_from_record  # loads torch
        from workbench.training.compress import compress

        artifact = compress(model, recipe, on_step=lambda _step: token.cancel(), cancel=token)
        deployment = deployment_from_record(record, artifact, model)
    except Exception as error:
        cancel.check()
        store.put(_key(model, recipe), None)  # it would fail again
        if isinstance(error, Cancelled):
            return None  # the trained file is no longer cached
        raise
    known = tuple(outcome.target for outcome in deployment.outcomes)
    return Deploying(model.name, recipe, known, "done", deployment=deployment, time=record["time"])


def targets(recipe: Recipe) -> tuple[Target, ...]:
    """Return every precision of every installed runtime that changes what a file computes.

    A precision that the processor does not have is left out: its packages would be refused.
    """
    from workbench.deploy.runtimes import RUNTIMES
    from workbench.deploy.target import ROUNDED_INPUTS, Target

    rounds = recipe.quantize is not None and recipe.quantize.bits == ROUNDED_BITS
    return tuple(
        Target(runtime.name, precision)
        for runtime in RUNTIMES.values()
        if runtime.missing() is None and not runtime.own_models_only
        for precision in runtime.precisions_here
        if rounds or precision != ROUNDED_INPUTS
    )


def _key(model: Model, recipe: Recipe) -> str:
    return f"deployment {VERSION} {_place()} {model.identity} {recipe.to_json()}"


@cache
def _place() -> str:
    """Return the versions and the machine; versions are read from files, and keys are frequent."""
    versions = " ".join(f"{name}={version(name)}" for name in ("workbench", "torch"))
    return f"{versions} {platform.node()} {platform.machine()} {os.cpu_count()}"
