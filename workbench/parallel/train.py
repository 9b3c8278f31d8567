"""Train a model on several ranks, and compare with one process."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from joblib import cpu_count
from safetensors.torch import load_file

from workbench.arguments import expect_callback, expect_cancel, expect_flag
from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.evaluation.scores import iter_scores
from workbench.parallel import formulas
from workbench.parallel.job import parameter_shapes, prepare, single_process
from workbench.parallel.machine_queue import machine_queue
from workbench.parallel.plan import Plan
from workbench.parallel.pool import Pool, pool, private_folder
from workbench.parallel.reason import reason
from workbench.parallel.replay import replay
from workbench.parallel.result import ParallelTraining, RankResult, Record, payload_per_step
from workbench.parallel.timeline import timelines
from workbench.validation import expect_count, expect_model

LOOPBACK = ("127.0.0.1", "127.0.0.2")
"""The addresses of one or two "machines" on this one."""
BASELINE = -1
"""The rank of records of the single-process run."""
OnRecord = Callable[[Record], None]


def train_in_parallel(
    model: Model,
    strategy: str = "data",
    ranks: int = 2,
    *,
    source: str | None = None,
    repeats: int = 1,
    exact: bool = True,
    on_record: OnRecord | None = None,
    on_wait: Callable[[], None] | None = None,
    cancel: CancelToken = NEVER,
    **settings: Any,
) -> ParallelTraining:
    """Train `model` on several ranks, real processes on this machine, and on one process.

    The processes are kept for the next run. They communicate over the loopback interface only.

    Parameters
    ----------
    model
        A built-in model, or one whose module `source` makes.
    strategy
        ``data``: each of the N ranks stores all weights and computes a part of each batch.
        ``zero1``: as ``data``, but each rank stores 1/N of the optimizer state. ``zero2``,
        ``zero3``: each rank stores 1/N of weights, gradients and optimizer state; ``zero2`` gathers
        all weights for a step, ``zero3`` those of one block at a time. ``tensor``: each rank stores
        1/N of the matrices. ``pipeline``: each rank stores some of the layers.
    ranks
        1 to 4.
    source
        ``FILE.py:CALLABLE`` that makes the module of a model that is not built in. Ranks import the
        file after checking its digest.
    repeats
        How often to train; all but the first repeat only add their digest.
    exact
        Whether to evaluate the final weights on the entire validation split. Records during the run
        hold estimates from a sample.
    on_record
        Called with each `Record` while the ranks train.
    on_wait
        Called once if another parallel run of this user is under way on this machine: runs wait
        for each other, so that they do not share the cores.
    cancel
        Ends the training on all ranks; receives the progress.
    settings
        Other fields of `Plan`, such as ``sync="every_k"`` or ``steps=100``.

    Raises
    ------
    InputError
        If a setting is not allowed, or the strategy cannot train this model; it says why.
    RankError
        If a rank dies or does not answer in time; it names the rank.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> result = wb.train_in_parallel(wb.model("fashion/lenet-300-100"), ranks=2, steps=5)
    >>> result.consistent
    True
    """
    expect_model(model)
    expect_count(repeats, "The number of repeats")
    expect_flag(exact, "exact")
    expect_callback(on_record, "on_record")
    expect_callback(on_wait, "on_wait")
    expect_cancel(cancel)
    plan = Plan.of({"strategy": strategy, "ranks": ranks, **settings})
    with machine_queue(cancel, on_wait), private_folder() as folder:
        processes = pool()
        with processes.lock:
            processes.start(plan.ranks, folder)  # they load while the job is written
            run = _Run(model, plan, source, folder, processes, on_record, cancel)
            return run.result(repeats, exact=exact)


class _Run:
    """The repeats of one job in the pool."""

    def __init__(
        self,
        model: Model,
        plan: Plan,
        source: str | None,
        folder: Path,
        processes: Pool,
        on_record: OnRecord | None,
        cancel: CancelToken,
    ) -> None:
        self._begin = time.monotonic()
        self._model, self._folder, self._pool = model, folder, processes
        self._on_record, self._cancel = on_record, cancel
        self._job = prepare(model, plan, source, folder)
        self.plan = Plan.of(self._job["plan"])
        self._records: list[Record] = []
        self._first_step = 0.0
        self._total_steps = self._steps_run = 0

    def result(self, repeats: int, *, exact: bool) -> ParallelTraining:
        """Train on one process, then on all ranks, and describe both."""
        self._total_steps = self.plan.steps * (1 + repeats * self.plan.ranks)
        baseline = self._train(single_process(self._job), 0, keep=True)
        self._begin += time.monotonic() - self._baseline_begin
        first = self._train(self._job, 1, keep=True)
        others = [self._train(self._job, n + 1, keep=False) for n in range(1, repeats)]
        digests = [ranks[0]["digest"] for ranks in (first, *others)]
        result = self._describe(baseline[0], first, digests)
        if exact:
            replicas = {rank["digest"]: number for number, rank in reversed([*enumerate(first)])}
            names = [f"final-{number}" for number in sorted(replicas.values())]
            value = self._score("baseline-final-0")
            result = replace(
                result, accuracy=tuple(map(self._score, names)), baseline_accuracy=value
            )
        return replace(result, reason=reason(result))

    def _train(self, job: Mapping[str, Any], number: int, *, keep: bool) -> list[dict[str, Any]]:
        plan = job["plan"]
        if job["baseline"]:
            self._baseline_begin = time.monotonic()
        if plan["sync"].startswith("shared"):
            self._make_shared_files(number)
        store = self._folder / f"store-{number}"
        requests = [
            {
                "command": "train",
                "folder": str(self._folder),
                "store": str(store),
                "job": {**job, "run": number},
                "rank": rank,
                "address": address(rank, plan["ranks"], plan["machines"]),
            }
            for rank in range(plan["ranks"])
        ]

        def on_event(rank: int, event: Mapping[str, Any]) -> None:
            if event["event"] == "step":
                self._steps_run += 1
                self._cancel.progress(self._steps_run / self._total_steps)
                if not job["baseline"]:
                    self._first_step = self._first_step or time.monotonic() - self._begin
            elif event["event"] == "record" and keep:
                self._record(BASELINE if job["baseline"] else rank, event)

        return self._pool.run(requests, limit=plan["limit"], on_event=on_event, cancel=self._cancel)

    def _record(self, rank: int, event: Mapping[str, Any]) -> None:
        record = Record(
            rank,
            event["step"],
            event["digest"],
            None if rank == BASELINE else event["distance"],
            event["accuracy"],
            event["sample_loss"],
            event["not_finite_step"],
        )
        self._records.append(record)
        if self._on_record is not None:
            self._on_record(record)

    def _make_shared_files(self, number: int) -> None:
        size = sum(shape.numel() for shape in parameter_shapes(self._model).values())
        (self._folder / f"shared-{number}").write_bytes(bytes(4 * size))
        (self._folder / f"number-{number}").write_bytes(bytes(8))

    def _describe(
        self, baseline: Mapping[str, Any], ranks: Sequence[Mapping[str, Any]], digests: list[str]
    ) -> ParallelTraining:
        shapes = parameter_shapes(self._model)
        aligned = not self.plan.synchronized
        spans, cores = [rank["spans"] for rank in ranks], cpu_count()
        measured = timelines(spans, aligned=aligned)
        single = timelines([baseline["spans"]], aligned=True)
        replayed = () if self.plan.shares_weights else replay(spans, cores, self.plan.link)
        return ParallelTraining(
            model=self._model.name,
            plan=self.plan,
            ranks=tuple(
                RankResult(
                    number,
                    rank["digest"],
                    rank["bytes"],
                    formulas.held_bytes(self.plan, shapes, number),
                    payload_per_step(rank["spans"]),
                    rank["memory"],
                )
                for number, rank in enumerate(ranks)
            ),
            records=tuple(self._records),
            timelines=measured,
            replays=replayed,
            gradient_difference=ranks[0]["gradient_difference"] if self.plan.synchronized else None,
            digests=tuple(digests),
            lost_updates=_lost(ranks),
            accuracy=(),
            baseline_accuracy=None,
            seconds_per_step=median(step.seconds for step in measured),
            baseline_seconds_per_step=median(step.seconds for step in single),
            first_step_seconds=self._first_step,
            communicated_formula=formulas.communicated_bytes(self.plan, shapes),
            cores=cores,
        )

    def _score(self, name: str) -> float:
        weights = load_file(self._folder / f"{name}.safetensors")
        validation = self._model.task.split("validation")
        *_, score = iter_scores(self._model, weights, validation, cancel=self._cancel)
        return score.value


def address(rank: int, ranks: int, machines: int) -> str:
    """Return the loopback address of a rank; the first half of the ranks is on one machine.

    Where a system has one loopback address only, all ranks share it.
    """
    chosen = LOOPBACK[rank * machines // ranks]
    with socket.socket() as probe:
        try:
            probe.bind((chosen, 0))
        except OSError:
            return LOOPBACK[0]
    return chosen


def _lost(ranks: Sequence[Mapping[str, Any]]) -> tuple[int, int] | None:
    if "increments" not in ranks[0]:
        return None
    total = sum(rank["increments"][0] for rank in ranks)
    return total - max(rank["increments"][1] for rank in ranks), total
