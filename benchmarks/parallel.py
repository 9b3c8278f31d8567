"""Parallel training on several processes against one: time, memory, equality, races, bytes.

`python benchmarks/parallel.py [--quick] [PART ...]` runs all parts, or those that are named:
``start``, ``gradient``, ``digests``, ``replay``, ``idle``, ``speed`` and ``stop``. It prints
tables in the format of docs/benchmarks.md, and the load of the machine before each. It takes about
15 minutes on 2 idle cores, 4 with ``--quick``. Times mean little while other programs run.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from statistics import fmean, median

import _parallel_modules
import numpy as np
import psutil
import torch
from _table import machine, table

import workbench as wb
from workbench.errors import InputError
from workbench.parallel.pool import pool
from workbench.parallel.schedules import CHUNKS_PER_RANK, idle_share, idle_share_of
from workbench.parallel.watch import RankError
from workbench.zoo.tables import ARCHITECTURES

FORMS = [
    ("data", {}),
    ("zero1", {}),
    ("zero2", {}),
    ("zero3", {}),
    ("tensor", {}),
    ("pipeline", {"schedule": "gpipe"}),
    ("pipeline", {"schedule": "1f1b"}),
    ("pipeline", {"schedule": "interleaved"}),
]
WITH_FORMULA = ("data", "zero1", "zero2", "zero3")
SMALL = "fashion/mlp-32"
COLD = """
import time, workbench as wb
model = wb.model("fashion/lenet5")
for attempt in range(2):
    result = wb.train_in_parallel(model, ranks={ranks}, steps=5, exact=False)
    print(result.first_step_seconds, max(rank.memory for rank in result.ranks))
"""


def start(*, quick: bool) -> None:
    """Print how long the first step takes with new processes and from the pool."""
    rows = []
    for ranks in (2, 4):
        runs = []
        for _repeat in range(1 if quick else 3):
            command = [sys.executable, "-c", COLD.format(ranks=ranks)]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            runs.append([[float(x) for x in line.split()] for line in output.splitlines()])
        cold = median(run[0][0] for run in runs)
        warm = median(run[1][0] for run in runs)
        memory = max(line[1] for run in runs for line in run) / 1e6
        rows.append([ranks, f"{cold:.2f} s", f"{warm:.2f} s", f"{memory:.0f} MB"])
    print(table(["ranks", "first step, new processes", "from the pool", "memory of a rank"], rows))


def gradient(*, quick: bool) -> None:
    """Print differences from one process, bytes against the formula, and all refusals."""
    rows, held, refusals = [], [], []
    for name, model in [*_models(), *_other_models()]:
        cells, counts = [], []
        for strategy, settings in FORMS:
            compared = _compare(model, strategy, settings, quick=quick)
            cells.append(compared.cell)
            refusals += [[f"`{name}`", _form(strategy, settings), *why] for why in compared.refused]
            if strategy in WITH_FORMULA:
                counts.append(f"{compared.equal} of {compared.total}")
        rows.append([f"`{name}`", *cells])
        held.append([f"`{name}`", *counts])
        print(f"| `{name}` | {' | '.join([*cells, *counts])} |", flush=True)
    names = [_form(strategy, settings) for strategy, settings in FORMS]
    print("\n" + table(["model: largest difference", *names], rows))
    print(table(["model: ranks equal to the byte", *WITH_FORMULA], held))
    print(table(["model", "form", "ranks", "refused, because"], refusals))


@dataclass
class _Compared:
    """One form of one model with all numbers of ranks."""

    difference: float = 0.0
    equal: int = 0
    total: int = 0
    refused: list[list[object]] = field(default_factory=list)

    @property
    def cell(self) -> str:
        if not self.difference and self.refused:
            return "refused"
        first = f", not on {self.refused[0][0]}" if self.refused else ""
        return f"{self.difference:.0e}{first}"


def _form(strategy: str, settings: dict[str, str]) -> str:
    return settings.get("schedule", strategy)


def _compare(model: wb.Model, strategy: str, settings: dict[str, str], *, quick: bool) -> _Compared:
    chance = random.Random(f"{model.name} {strategy}")
    compared = _Compared()
    for ranks in (2,) if quick else (2, 3, 4):
        batch = 4 * ranks + chance.randrange(8)
        more: dict[str, object] = {}
        if strategy in WITH_FORMULA:
            borders = sorted(chance.sample(range(1, batch), ranks - 1))
            edges = [0, *borders, batch]
            more["shards"] = tuple(b - a for a, b in pairwise(edges))
        if strategy == "pipeline":
            more["microbatches"] = ranks * chance.choice((1, 2))
        try:
            result = wb.train_in_parallel(
                model, strategy, ranks, steps=1, batch=batch, exact=False, **settings, **more
            )
        except InputError as error:
            compared.refused.append([ranks, str(error)])
            continue
        assert result.gradient_difference is not None
        compared.difference = max(compared.difference, result.gradient_difference)
        compared.equal += sum(rank.formula == dict(rank.held) for rank in result.ranks)
        compared.total += ranks
    return compared


def _models() -> Iterator[tuple[str, wb.Model]]:
    for name in ARCHITECTURES:
        yield name, wb.model(name)


def _other_models() -> Iterator[tuple[str, wb.Model]]:
    if find_spec("transformers") is None:
        print("The networks of transformers are left out: it is not installed.\n")
        return
    generator = torch.Generator().manual_seed(0)
    words = torch.randint(0, 96, (96, 16), generator=generator)
    classes = torch.randint(0, 4, (96,), generator=generator)
    pictures = torch.randn(96, 3, 32, 32, generator=generator)
    data = {
        "words": (words, classes),
        "next": (words, words.roll(-1, 1)),
        "pictures": (pictures, classes),
    }
    torch.manual_seed(0)
    for name, (kind, module) in _parallel_modules.networks().items():
        inputs, labels = data[kind]
        parts = {"train": slice(0, 64), "validation": slice(64, 80), "test": slice(80, 96)}
        splits = {split: (inputs[part], labels[part]) for split, part in parts.items()}
        yield f"{name} of transformers", wb.from_module(module, **splits, name=name)


def digests(*, quick: bool) -> None:
    """Print how many digests five runs have, and how many updates are lost."""
    rows = []
    for sync in ("every_step", "every_k", "never", "shared", "shared_locked"):
        result = wb.train_in_parallel(wb.model(SMALL), sync=sync, repeats=5, steps=40, exact=True)
        lost = result.lost_updates
        rows.append(
            [
                sync,
                "equal" if result.consistent else "different",
                f"{len(set(result.digests))} of 5",
                "" if lost is None else f"{lost[0]:,} of {lost[1]:,} ({lost[0] / lost[1]:.1%})",
                ", ".join(f"{value:.3f}" for value in result.accuracy),
                f"{result.baseline_accuracy:.3f}",
            ]
        )
    columns = ["synchronization", "ranks", "distinct digests", "lost updates", "accuracy"]
    print(table([*columns, "one process"], rows))
    rows = []
    for shards in ((32, 32), (16, 48), (1, 63)):
        cells = []
        for weighting in ("ranks", "examples"):
            result = wb.train_in_parallel(
                wb.model(SMALL), shards=shards, steps=1, weighting=weighting, exact=False
            )
            cells.append(f"{result.gradient_difference:.1e}")
        rows.append([str(shards), *cells])
    print(table(["shards of a batch of 64", "mean of means", "weighted by examples"], rows))


def replay(*, quick: bool) -> None:
    """Print the error of the replay."""
    rows = []
    for name in ("fashion/lenet5", "fashion/resnet", "fashion/lenet-300-100"):
        for strategy, settings in FORMS:
            try:
                result = wb.train_in_parallel(
                    wb.model(name), strategy, 2, steps=20, batch=128, exact=False, **settings
                )
            except InputError:
                continue
            error = "" if result.replay_error is None else f"{result.replay_error:+.1%}"
            measured = fmean(step.seconds for step in result.timelines)
            rows.append(
                [
                    f"`{name}`",
                    settings.get("schedule", strategy),
                    f"{1e3 * measured:.1f} ms",
                    f"{1e3 * (result.replay_seconds_per_step or 0):.1f} ms",
                    error,
                ]
            )
    print(table(["model", "form", "mean step, wall clock", "replayed", "error"], rows))


def idle(*, quick: bool) -> None:
    """Print the idle share of pipelines of equal stages."""
    rows = []
    inputs = torch.from_numpy(np.random.default_rng(0).normal(size=(1152, 1024)).astype("f"))
    parts = {"train": slice(0, 1024), "validation": slice(1024, 1088), "test": slice(1088, 1152)}
    model = wb.from_module(
        _parallel_modules.Chain(),
        **{split: (inputs[part], inputs[part]) for split, part in parts.items()},
        name="chain",
    )
    for schedule, chunks in CHUNKS_PER_RANK.items():
        for ranks, microbatches in ((2, 4), (2, 8), (4, 8), (4, 16)):
            result = wb.train_in_parallel(
                model, "pipeline", ranks, schedule=schedule, microbatches=microbatches,
                batch=1024, steps=12, optimizer="sgd", exact=False,
            )  # fmt: skip
            seconds = result.replayed_seconds
            rows.append(
                [
                    schedule, ranks, microbatches, f"{result.idle_share:.1%}",
                    f"{idle_share(ranks, microbatches, chunks):.1%}",
                    f"{idle_share_of(seconds, microbatches, chunks):.1%}",
                    f"{1e3 * min(seconds):.1f} to {1e3 * max(seconds):.1f} ms",
                ]
            )  # fmt: skip
    columns = ["schedule", "ranks", "microbatches", "idle, replayed", "equal stages"]
    print(table([*columns, "these stages", "a rank computes"], rows))


def speed(*, quick: bool) -> None:
    """Print the time of a step by the number of ranks."""
    rows = []
    for name in (SMALL, "fashion/lenet5", "fashion/resnet"):
        for ranks in (1, 2, 3, 4):
            result = wb.train_in_parallel(
                wb.model(name), "data", ranks, steps=20, batch=256, exact=False
            )
            replayed = 1e3 * (result.replay_seconds_per_step or 0)
            rows.append(
                [
                    f"`{name}`",
                    ranks,
                    f"{1e3 * result.seconds_per_step:.1f} ms",
                    f"{replayed:.1f} ms",
                ]
            )
    print(table(["model, batch of 256", "ranks", "step, wall clock", "step, replayed"], rows))


def stop(*, quick: bool) -> None:
    """Print how long processes live after a stop, a killed rank and a killed caller."""
    rows = []
    for name, end in (("cancelled", _cancel), ("a rank killed", _kill)):
        for strategy in ("data", "zero3", "pipeline"):
            seconds, processes, sentence = end(strategy)
            rows.append([name, strategy, processes, f"{seconds:.2f} s", sentence])
    rows.append(["the caller killed", "data", *_kill_caller()])
    print(table(["event", "form", "processes", "all ended after", "sentence"], rows))


def _cancel(strategy: str) -> tuple[float, int, str]:
    token = wb.CancelToken()
    return _ended(strategy, lambda _ids: token.cancel(), token)


def _kill(strategy: str) -> tuple[float, int, str]:
    return _ended(strategy, lambda ids: psutil.Process(ids[1]).kill(), wb.CancelToken())


def _ended(
    strategy: str, end: Callable[[tuple[int, ...]], None], token: wb.CancelToken
) -> tuple[float, int, str]:
    ids: tuple[int, ...] = ()
    moment = 0.0

    def on_record(record: object) -> None:
        nonlocal ids, moment
        if getattr(record, "rank", -1) == 0 and not ids:
            ids, moment = pool().process_ids, time.monotonic()
            end(ids)

    try:
        wb.train_in_parallel(
            wb.model(SMALL), strategy, 2, steps=200, exact=False,
            on_record=on_record, cancel=token,
        )  # fmt: skip
    except (RankError, wb.WorkbenchError) as error:
        sentence = str(error)
    seconds = _wait(ids, moment)
    return seconds, len(ids), sentence.partition(" Its last lines")[0]


def _kill_caller() -> tuple[int, str, str]:
    code = (
        "import workbench as wb, workbench.parallel.pool as p\n"
        "def show(r):\n    print(*p.pool().process_ids, flush=True)\n"
        "wb.train_in_parallel(wb.model('fashion/mlp-32'), steps=200, exact=False, on_record=show)"
    )
    caller = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    for _line in range(3):
        ids = tuple(int(text) for text in caller.stdout.readline().split())
    caller.kill()
    moment = time.monotonic()
    caller.wait()
    return len(ids), f"{_wait(ids, moment):.2f} s", ""


def _wait(ids: tuple[int, ...], moment: float) -> float:
    while any(_runs(process) for process in ids):
        time.sleep(0.01)
    return time.monotonic() - moment


def _runs(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


PARTS = {
    "start": start,
    "gradient": gradient,
    "digests": digests,
    "replay": replay,
    "idle": idle,
    "speed": speed,
    "stop": stop,
}


def main() -> None:
    """Run the parts that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer numbers of ranks and repeats")
    options = parser.parse_args()
    print(machine())
    for name in options.parts or PARTS:
        load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
        print(f"\n### {name} (load of the machine before: {load})\n", flush=True)
        PARTS[name](quick=options.quick)


if __name__ == "__main__":
    main()
