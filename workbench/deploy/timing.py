"""Time packages in their runtimes, in turn, on real inputs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from workbench import formatting
from workbench.arguments import expect_instance, expect_running
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.arrays import save_arrays
from workbench.deploy.confirm import Reference, artifact_of
from workbench.deploy.entry import inputs_of
from workbench.deploy.host import Calls, Host
from workbench.deploy.package import Package
from workbench.deploy.process import ended_on_cancel
from workbench.deploy.runtimes import RUNTIMES, title_of
from workbench.display import Displayable
from workbench.errors import InputError
from workbench.i18n import _
from workbench.profiling.energy.energy import Energy
from workbench.zoo.registry import model as find_model

BASELINE = "torch"
BATCHES = (1, 64)
ROUNDS = 5
SECONDS = 0.04
"""How long a package runs in each round, at least one call."""
MAX_CALLS = 200
"""Calls in each round."""
TIMED_EXAMPLES = 1024
BUSY_SPREAD = 2.0
"""The 90th percentile relative to the minimum above which other work disturbed the calls."""
BUSY_SHARE = 0.8
"""The processor time relative to the time that passed, below which it did."""


@dataclass(frozen=True)
class Timing:
    """One package with one size of a batch; times are in milliseconds per call.

    Attributes
    ----------
    runtime, precision : str
        The name of the runtime and the precision of its arithmetic.
    batch, threads, calls : int
        Examples per call, threads of a call, and how many calls were timed.
    minimum, median, p90 : float
        Of the calls, without the first ones.
    load : float
        Milliseconds until the network was loaded.
    package_bytes, resident_bytes, artifact_bytes : int
        The length of the exported file, the memory that the loaded network takes, and the length of
        the compressed file.
    busy : bool
        Whether other work disturbed the calls.
    energy : Energy
        The energy of 1,000 examples.
    """

    runtime: str
    precision: str
    batch: int
    threads: int
    calls: int
    minimum: float
    median: float
    p90: float
    load: float
    package_bytes: int
    resident_bytes: int
    artifact_bytes: int
    busy: bool
    energy: Energy = field(default_factory=Energy.unknown)


@dataclass(frozen=True)
class Benchmark(Displayable):
    """Timings of packages of one compressed file that ran in turn.

    Attributes
    ----------
    timings : tuple of Timing
        One for each package, size of a batch and number of threads.
    """

    _plots = "benchmark"

    timings: tuple[Timing, ...]

    @property
    def busy(self) -> bool:
        """Whether the machine had other work, so that only the order of the runtimes is certain."""
        return self.busy_with(self.timings[0].threads) if self.timings else False

    def busy_with(self, threads: int) -> bool:
        """Whether other work disturbed the calls on `threads` threads."""
        return any(timing.busy for timing in self.timings if timing.threads == threads)

    def speedup(self, timing: Timing) -> float | None:
        """Return how many times faster than PyTorch a timing is; None on a busy machine."""
        for other in self.timings:
            same = (other.batch, other.threads) == (timing.batch, timing.threads)
            if other.runtime == BASELINE and same and not self.busy_with(timing.threads):
                return other.minimum / timing.minimum
        return None

    @property
    def summary(self) -> str:
        """One sentence: the fastest on the least threads, or that the machine was busy."""
        timings = [row for row in self.timings if row.threads == self.timings[0].threads]
        fastest = min(timings, key=lambda timing: timing.minimum / timing.batch)
        title = title_of(fastest.runtime, fastest.precision)
        if self.busy:
            return _(
                "The machine was busy with other work: {runtime} was the fastest, but no ratio is "
                "certain."
            ).format(runtime=title)
        speedup = self.speedup(fastest)
        if speedup is None or fastest.runtime == BASELINE:
            return _("{runtime} is the fastest with batches of {batch}.").format(
                runtime=title, batch=fastest.batch
            )
        return _("{runtime} is {times} as fast as PyTorch with batches of {batch}.").format(
            runtime=title, times=formatting.times(speedup), batch=fastest.batch
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        rows = [
            asdict(timing) | {"speedup": self.speedup(timing), "energy": timing.energy.as_dict()}
            for timing in self.timings
        ]
        return {"summary": self.summary, "busy": self.busy, "timings": rows}

    def __repr__(self) -> str:
        return f"<Benchmark of {len(self.timings):,} timings: {self.summary}>"


def benchmark(
    packages: Package | Sequence[Package],
    *,
    batches: Sequence[int] = BATCHES,
    threads: Sequence[int] | None = None,
    split: str = "validation",
    cancel: CancelToken = NEVER,
) -> Benchmark:
    """Confirm packages of one compressed file, then time them in turn on examples of a split.

    Parameters
    ----------
    packages
        One or more, as `export` returns them. One for "torch" is what the others are compared
        with.
    batches
        Examples per call. A package of one size of a batch is timed with that size only.
    threads
        Threads of one call; by default those of the first package's target, and all cores.
    split
        The examples: "train", "validation" or "test".
    cancel
        Ends the runtimes.

    Raises
    ------
    InputError
        If the predictions of a package differ from its file's, the packages come from several
        files, or there is no package.
    RuntimeFailedError
        If a runtime crashes, hangs, or uses another device or precision than requested.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> artifact = wb.compress(wb.model("fashion/mlp-32"), wb.Recipe(wb.Quantize(8)))
    >>> result = wb.benchmark([wb.export(artifact, "torch")], batches=[64], threads=[1])
    >>> [(timing.runtime, timing.batch, timing.median > 0) for timing in result.timings]
    [('torch', 64, True)]
    """
    packages = _packages(packages)
    expect_running(cancel)
    if not packages:
        raise InputError("Pass at least one package.", code="deploy.no_package")
    for batch in batches:
        replace(packages[0].target, batch=batch)  # checks it
    files = {artifact_of(package).digest: artifact_of(package) for package in packages}
    if len(files) > 1:
        raise InputError(
            f"These packages come from {len(files)} compressed files: time those of one file.",
            code="deploy.other_artifact",
        )
    for package in packages:
        RUNTIMES[package.target.runtime].check_installed()
    numbers = one_and_all_cores(packages[0].target.threads) if threads is None else threads
    with ExitStack() as stack:
        pairs = [(p, stack.enter_context(Host(p.target.runtime))) for p in packages]
        stack.enter_context(ended_on_cancel([host for _package, host in pairs], cancel))
        reference = Reference(artifact_of(packages[0]), split, cancel)
        for package, host in pairs:
            agreement = reference.confirm(package, host)
            if not agreement.confirmed:
                raise InputError(agreement.summary, code="deploy.not_confirmed")
        return time_in_turn(pairs, batches=batches, threads=numbers, split=split, cancel=cancel)


def _packages(value: object) -> Sequence[Package]:
    """Return packages as a sequence, or raise `InputError` if there are others."""
    advice, code = "Pass packages, as wb.export returns them", "not_packages"
    listed = value if isinstance(value, list | tuple) else [value]
    return [expect_instance(package, Package, advice, code) for package in listed]


def one_and_all_cores(threads: int = 1) -> tuple[int, ...]:
    """Return `threads` and the number of cores that this process may use, once if equal."""
    from joblib import cpu_count

    return tuple(dict.fromkeys((threads, cpu_count())))


def time_in_turn(
    pairs: Sequence[tuple[Package, Host]],
    *,
    batches: Sequence[int] = BATCHES,
    threads: Sequence[int] = (1,),
    split: str = "validation",
    cancel: CancelToken = NEVER,
) -> Benchmark:
    """Time packages of one compressed file that are confirmed, each in the host of its runtime.

    Raises
    ------
    RuntimeFailedError
        If a runtime crashes, hangs, or uses another device or precision than requested.
    """
    artifact = artifact_of(pairs[0][0])
    task = find_model(artifact.model).task
    inputs = inputs_of(task, task.split(split).examples[:TIMED_EXAMPLES])
    timings: list[Timing] = []
    with TemporaryDirectory(prefix="workbench-") as folder:
        files = save_arrays(inputs.arrays(), Path(folder))
        for part, number in enumerate(threads):
            cancel.check()
            _load(pairs, number)
            for step, batch in enumerate(batches):
                first = (part * len(batches) + step) / (len(threads) * len(batches))
                token = cancel.part(first, first + 1 / (len(threads) * len(batches)))
                size = min(batch, len(inputs))
                for pair, calls in _rounds(pairs, files, batch, token):
                    timings.append(_timing(*pair, batch, number, size, calls, len(artifact)))
    return Benchmark(tuple(timings))


def _load(pairs: Sequence[tuple[Package, Host]], threads: int) -> None:
    with ThreadPoolExecutor(len(pairs)) as pool:
        loading = [pool.submit(host.load, package, threads=threads) for package, host in pairs]
    for result in loading:
        result.result()


def _rounds(
    pairs: Sequence[tuple[Package, Host]],
    inputs: Sequence[Path],
    batch: int,
    cancel: CancelToken,
) -> list[tuple[tuple[Package, Host], list[Calls]]]:
    """Return the calls of all packages that take such a batch, in turn."""
    rounds: list[tuple[tuple[Package, Host], list[Calls]]] = [
        (pair, []) for pair in pairs if pair[0].batch in {None, batch}
    ]
    for turn in range(ROUNDS):
        cancel.progress(turn / ROUNDS)
        for (_package, host), calls in rounds:
            cancel.check()
            calls.append(host.time(inputs, batch, MAX_CALLS, SECONDS))
    return rounds


def _timing(
    package: Package,
    host: Host,
    batch: int,
    threads: int,
    examples: int,
    rounds: list[Calls],
    artifact_bytes: int,
) -> Timing:
    seconds = [second for calls in rounds for second in calls.seconds]
    shares = [calls.processor_share for calls in rounds]
    energy = Energy.total(calls.energy for calls in rounds)
    minimum, median, p90 = (1000 * float(value) for value in np.quantile(seconds, (0, 0.5, 0.9)))
    target = package.target
    return Timing(
        target.runtime,
        target.precision,
        batch,
        threads,
        len(seconds),
        minimum,
        median,
        p90,
        1000 * host.load_seconds,
        len(package),
        host.resident_bytes,
        artifact_bytes,
        p90 > BUSY_SPREAD * minimum or float(np.median(shares)) < BUSY_SHARE,
        energy.scaled(1000 / (len(seconds) * examples)),
    )
