"""The inference runtimes of a session: how far the current file has come there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.cache.results import ResultCache
    from workbench.cancel import CancelToken
    from workbench.deploy.deployment import Deployment
    from workbench.deploy.target import Target
    from workbench.domain import Model


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
        "working", "timing", "done", "stopped" or "failed".
    fraction : float
        Of the timing, from 0 to 1.
    deployment : Deployment or None
        Once the file is created.
    error : str
        Why it failed, or empty.
    """

    model: str
    recipe: Recipe
    targets: tuple[Target, ...]
    state: str = "working"
    fraction: float = 0.0
    deployment: Deployment | None = None
    error: str = ""

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
        from workbench.training.compress import compress

        artifact = compress(model, deploying.recipe, cancel=cancel)

        def show(deployment: Deployment) -> None:
            change(deployment=deployment, state="working")

        def on_timing(fraction: float) -> None:
            change(state="timing", fraction=fraction)

        deploy(artifact, deploying.targets, store, show, cancel=cancel.reporting(on_timing))
    except Cancelled:
        change(state="stopped")
    except WorkbenchError as error:
        change(state="failed", error=str(error))
    except BaseException:  # the banner names it
        change(state="failed", error=_("The run has ended with an unexpected error."))
        raise
    else:
        change(state="done")


def targets(recipe: Recipe) -> tuple[Target, ...]:
    """Return every precision of every installed runtime that changes what a file computes."""
    from workbench.deploy.runtimes import RUNTIMES
    from workbench.deploy.target import ROUNDED_INPUTS, Target

    rounds = recipe.quantize is not None and recipe.quantize.bits == ROUNDED_BITS
    return tuple(
        Target(runtime.name, precision)
        for runtime in RUNTIMES.values()
        if runtime.missing() is None and not runtime.own_models_only
        for precision in runtime.precisions
        if rounds or precision != ROUNDED_INPUTS
    )
