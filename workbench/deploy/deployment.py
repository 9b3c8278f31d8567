"""One compressed file in many runtimes: exported, confirmed and timed, as far as it has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workbench.artifact.artifact import Artifact
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.deploy.prepare import Outcome, prepare
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.store import cached_agreement, cached_package, keep_agreement, keep_package
from workbench.deploy.target import Target
from workbench.deploy.timing import Benchmark, time_in_turn
from workbench.errors import WorkbenchError


@dataclass(frozen=True)
class Deployment:
    """A file in several runtimes.

    Attributes
    ----------
    artifact : Artifact
        The compressed file.
    outcomes : tuple of Outcome
        One for each target.
    benchmark : Benchmark or None
        Once the confirmed packages are timed.
    error : str
        Why they could not be timed, or empty.
    """

    artifact: Artifact
    outcomes: tuple[Outcome, ...]
    benchmark: Benchmark | None = None
    error: str = ""


def deploy(
    artifact: Artifact,
    targets: Sequence[Target],
    results: ResultCache,
    publish: Callable[[Deployment], None],
    *,
    split: str = "validation",
    cancel: CancelToken,
) -> None:
    """Export a file for several targets, confirm each package, and time those that are confirmed.

    All of it happens in other processes of low priority. What was exported and confirmed before is
    taken from the cache; times are always measured. `publish` receives each change.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled.
    """
    deployment = Deployment(artifact, tuple(_known(artifact, t, split, results) for t in targets))
    publish(deployment)

    def update(changed: Outcome) -> None:
        nonlocal deployment
        outcomes = tuple(
            changed if outcome.target == changed.target else outcome
            for outcome in deployment.outcomes
        )
        deployment = replace(deployment, outcomes=outcomes)
        publish(deployment)

    unknown = [outcome.target for outcome in deployment.outcomes if not outcome.settled]
    if unknown:
        for prepared in prepare(artifact, unknown, split, cancel):
            package, agreement = prepared.package, prepared.agreement
            if package is not None and agreement is not None:
                keep_package(package)
                keep_agreement(package, agreement, results)
            update(prepared)
    packages = [o.package for o in deployment.outcomes if o.confirmed and o.package is not None]
    if not packages:
        return
    try:
        benchmark = time_in_turn(packages, split=split, cancel=cancel, low_priority=True)
    except WorkbenchError as error:
        if cancel.cancelled:
            raise
        publish(replace(deployment, error=str(error)))
    else:
        publish(replace(deployment, benchmark=benchmark))


def _known(artifact: Artifact, target: Target, split: str, results: ResultCache) -> Outcome:
    missing = RUNTIMES[target.runtime].missing()
    if missing:
        return Outcome(target, error=missing)
    package = cached_package(artifact, target)
    agreement = None if package is None else cached_agreement(package, split, results)
    return Outcome(target) if agreement is None else Outcome(target, package, agreement)
