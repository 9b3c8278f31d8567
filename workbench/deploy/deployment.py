"""One compressed file in many runtimes: exported, confirmed and timed, as far as it has come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.artifact.artifact import Artifact
from workbench.cache.results import ResultCache
from workbench.cancel import CancelToken
from workbench.deploy.agreement import Agreement
from workbench.deploy.host import Host
from workbench.deploy.package import Package
from workbench.deploy.prepare import Preparation, preparation
from workbench.deploy.process import Process
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.store import (
    cached_agreement,
    cached_package,
    cached_refusal,
    cached_roofline,
    keep_agreement,
    keep_package,
    keep_refusal,
    keep_roofline,
)
from workbench.deploy.target import Target
from workbench.deploy.timing import Benchmark, one_and_all_cores, time_in_turn
from workbench.errors import WorkbenchError
from workbench.profiling.roofline import Roofline

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class PackageFacts:
    """The length of an exported network in bytes, and the notes of its manifest."""

    bytes: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What is known of a file for one target.

    Attributes
    ----------
    package : Package or None
        Once it is exported.
    agreement : Agreement or None
        Once every prediction is compared.
    error : str
        Why there is no more, or empty.
    earlier : PackageFacts or None
        What is known of a package of an earlier run, also if the package itself is not kept.
    """

    target: Target
    package: Package | None = None
    agreement: Agreement | None = None
    error: str = ""
    earlier: PackageFacts | None = None

    @property
    def package_facts(self) -> PackageFacts | None:
        """What is known of the package, once it is exported."""
        if self.package is None:
            return self.earlier
        notes = tuple(str(note) for note in self.package.manifest["notes"])
        return PackageFacts(len(self.package), notes)

    @property
    def confirmed(self) -> bool:
        """Whether the package may be used."""
        return self.agreement is not None and self.agreement.confirmed

    @property
    def settled(self) -> bool:
        """Whether only times can follow."""
        return self.agreement is not None or bool(self.error)


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
    roofline : Roofline or None
        Once the peaks of the machine are measured.
    error : str
        Why they could not be timed, or empty.
    """

    artifact: Artifact
    outcomes: tuple[Outcome, ...]
    benchmark: Benchmark | None = None
    roofline: Roofline | None = None
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

    All of it happens in other processes of low priority, which start together: runtimes load and
    run while the next package is exported. What was exported and confirmed before is taken from
    the cache, and so is the roofline that this process measured; times are always measured.
    `publish` receives each change.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled.
    """
    run = _Run(artifact, targets, results, publish, split)
    try:
        run.all(cancel)
    except WorkbenchError:
        cancel.check()  # ending the processes of a cancelled run fails what waits for them
        raise


class _Run:
    """A run of `deploy`: what is known so far, and the hosts of the targets."""

    def __init__(
        self,
        artifact: Artifact,
        targets: Sequence[Target],
        results: ResultCache,
        publish: Callable[[Deployment], None],
        split: str,
    ) -> None:
        self._results, self._split, self._publish = results, split, publish
        self._lock = threading.Lock()
        known = tuple(_known(artifact, target, split, results) for target in targets)
        self.deployment = Deployment(artifact, known)
        self.hosts: dict[Target, Host] = {}
        publish(self.deployment)

    def all(self, cancel: CancelToken) -> None:
        """Do what is missing, and measure the times and the roofline."""
        artifact, outcomes = self.deployment.artifact, self.deployment.outcomes
        unknown = [outcome.target for outcome in outcomes if not outcome.settled]
        started: list[Preparation | Process] = []
        with ExitStack() as stack:
            stack.enter_context(_ended_by(cancel, started))
            hosts = stack.enter_context(ExitStack())
            if unknown:
                prepared = stack.enter_context(preparation(artifact, self._split, cancel))
                started.append(prepared)
            for outcome in outcomes:
                if not outcome.error:
                    host = hosts.enter_context(Host(outcome.target.runtime, low_priority=True))
                    self.hosts[outcome.target] = host
                    started.append(host)
            if unknown:
                self._confirm(unknown, prepared, cancel)
            confirmed = [o for o in self.deployment.outcomes if o.confirmed]
            if not confirmed:
                return
            self._time([o.package for o in confirmed if o.package is not None], cancel)
            hosts.close()
            cancel.check()
            measured = cached_roofline(artifact)
            if measured is None:
                if not unknown:
                    prepared = stack.enter_context(preparation(artifact, self._split, cancel))
                    started.append(prepared)
                measured = prepared.roofline()
                keep_roofline(artifact, measured)
            self._change(roofline=measured)

    def _confirm(
        self, targets: Sequence[Target], prepared: Preparation, cancel: CancelToken
    ) -> None:
        """Export for one target after the other; runtimes run the packages at the same time."""
        compared, inputs = [], None
        with ThreadPoolExecutor(len(targets)) as pool:
            for target in targets:
                cancel.check()
                try:
                    package = prepared.export(target)
                    inputs = inputs or prepared.inputs()  # later requests wait for exports
                except WorkbenchError as error:
                    cancel.check()
                    keep_refusal(self.deployment.artifact, target, error)
                    self._update(Outcome(target, error=str(error)))
                    continue
                self._update(Outcome(target, package))
                outcome = Outcome(target, package)
                compared.append(
                    pool.submit(self._compare, outcome, package, inputs, prepared, cancel)
                )
            for result in compared:
                result.result()

    def _compare(
        self,
        outcome: Outcome,
        package: Package,
        inputs: tuple[Path, ...],
        prepared: Preparation,
        cancel: CancelToken,
    ) -> None:
        host = self.hosts[outcome.target]
        try:
            host.load(package)
            outputs = host.run_file(inputs, outcome.target.batch)
            agreement = prepared.compare(package, outputs, host.facts)
        except WorkbenchError as error:
            if not cancel.cancelled:
                keep_refusal(self.deployment.artifact, outcome.target, error)
                self._update(replace(outcome, error=str(error)))
            return
        keep_package(package)
        keep_agreement(package, agreement, self._results)
        self._update(replace(outcome, agreement=agreement))

    def _time(self, packages: Sequence[Package], cancel: CancelToken) -> None:
        pairs = [(package, self.hosts[package.target]) for package in packages]
        numbers = one_and_all_cores()
        try:
            benchmark = time_in_turn(pairs, threads=numbers, split=self._split, cancel=cancel)
        except WorkbenchError as error:
            cancel.check()
            self._change(error=str(error))
        else:
            self._change(benchmark=benchmark)

    def _update(self, changed: Outcome) -> None:
        with self._lock:
            outcomes = tuple(
                changed if outcome.target == changed.target else outcome
                for outcome in self.deployment.outcomes
            )
            self.deployment = replace(self.deployment, outcomes=outcomes)
            self._publish(self.deployment)

    def _change(self, **fields: Any) -> None:
        self.deployment = replace(self.deployment, **fields)
        self._publish(self.deployment)


@contextmanager
def _ended_by(cancel: CancelToken, processes: Sequence[Preparation | Process]) -> Iterator[None]:
    """End the `processes` once `cancel` is cancelled."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            if cancel.cancelled:
                for process in [*processes]:
                    process.end()
                return

    watcher = threading.Thread(target=watch, daemon=True, name="deploy")
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _known(artifact: Artifact, target: Target, split: str, results: ResultCache) -> Outcome:
    error = RUNTIMES[target.runtime].how_to_install() or cached_refusal(artifact, target)
    if error:
        return Outcome(target, error=error)
    package = cached_package(artifact, target)
    agreement = None if package is None else cached_agreement(package, split, results)
    return Outcome(target) if agreement is None else Outcome(target, package, agreement)
