"""Does any architecture survive the file? Half of the weights zero, the others in 4 bits, reloaded.

Every network has weights drawn by lot, no zeros and ones left, is coded and saved. A fresh process
builds each anew, loads the file and answers two inputs; what it says must be, bit for bit, what the
network says here with the decoded tensors. Then 30 % of the channels go, where torch-pruning can
follow the network: outputs must be those of the whole network in which nobody hears them. Last,
each is brought as a person's own module and measured, as it is and compressed: the figures must be
those of a plain loop over the rebuilt module, and at least 95 % of the networks must be measured.

    python benchmarks/breadth.py [--only NAME]

The networks of transformers take part where it is installed (`pip install -e ".[breadth]"`); they
are built from configurations, and nothing is downloaded. The exit status is 1 if anything fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers looks
os.environ["WORKBENCH_STORE"] = ""  # nothing is looked up, and nothing is kept
sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

import _table
import psutil
import torch
from _architectures import fixtures, foreign
from _architectures.architecture import Architecture
from _architectures.measuring import Measured, measured
from _architectures.narrowing import Narrowing, narrowing, ready
from _architectures.trial import Trial, answer, attempt
from joblib.externals.loky import ProcessPoolExecutor

PATIENCE = 30
"""Seconds of processor time for torch-pruning to follow a network; of some it finds no end."""
LEAST_MEASURED = 0.95


def main() -> None:
    """Print a line for each family, the totals, and what failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="the name of one architecture")
    parser.add_argument("--answers", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # networks of others, with warnings of their own
    torch.set_num_threads(1)
    if options.answers:
        print(json.dumps(answers(options.answers)))
        return
    own, others = (
        [one for one in found if options.only in ("", one.name)]
        for found in (fixtures(), foreign())
    )
    if not others:
        print("transformers is not installed, or not asked for: its networks are left out.\n")
    print(_table.machine(), end="\n\n")
    failed = [*measure("PyTorch alone", own), *measure("transformers", others)]
    print(*failed, sep="\n")
    sys.exit(bool(failed))


def measure(title: str, architectures: Sequence[Architecture]) -> list[str]:
    """Print the table of `architectures`, and return a line for whatever failed."""
    if not architectures:
        return []
    trials = []
    for one in architectures:
        print(f"{one.family}: {one.name}", file=sys.stderr, flush=True)
        trials.append(attempt(one))
    faults = {trial.architecture.name: list(trial.faults) for trial in trials}
    found = in_fresh_process(trials)
    for trial in trials:
        if found.get(trial.architecture.name) != trial.answer:
            faults[trial.architecture.name].append("a fresh process answers otherwise")
    narrowings = dict(zip(faults, narrowed(architectures), strict=True))
    figures = {one.name: measured_aloud(one) for one in architectures}
    refused = {name: one.refused for name, one in figures.items() if one.refused}
    print(f"{title}: {sum(not found for found in faults.values())} of {len(trials)} pass; ", end="")
    print(summary(list(narrowings.values())), end="; ")
    print(f"measured: {len(trials) - len(refused)} of {len(trials)}", end="\n\n")
    print(_table.table(COLUMNS, rows(trials, faults, narrowings, figures)))
    reasons = Counter(one.unsupported for one in narrowings.values() if one.unsupported)
    for reason, count in reasons.most_common():
        names = [name for name, one in narrowings.items() if one.unsupported == reason]
        print(f"\n{reason} ({count}): {'; '.join(names)}.", end="")
    for name, reason in refused.items():
        print(f"\nNot measured, {name}: {reason}", end="")
    print("\n")
    for name, one in narrowings.items():
        faults[name] += [f"narrowed: {one.fault}"] if one.fault else []
        faults[name] += [figures[name].fault] if figures[name].fault else []
    if len(refused) > (1 - LEAST_MEASURED) * len(trials):
        faults["all"] = [f"{len(refused)} of {len(trials)} are not measured"]
    return [f"{name}: {fault}" for name, found in faults.items() for fault in found]


COLUMNS = (
    "family",
    "networks",
    "pass",
    "values",
    "least coded",
    "least times smaller",
    "channels removed, right",
    "cannot be narrowed",
    "values that go with them",
    "measured, right",
)


def rows(
    trials: Sequence[Trial],
    faults: dict[str, list[str]],
    narrowings: dict[str, Narrowing],
    figures: dict[str, Measured],
) -> Iterator[Sequence[object]]:
    """Yield a line for each family."""
    for family in dict.fromkeys(trial.architecture.family for trial in trials):
        these = [trial for trial in trials if trial.architecture.family == family]
        names = [trial.architecture.name for trial in these]
        cut = [narrowings[name] for name in names]
        removed = [one.removed for one in cut if one.groups]
        known = [figures[name] for name in names if not figures[name].refused]
        yield (
            family,
            len(these),
            sum(not faults[name] for name in names),
            f"{sum(trial.values for trial in these):,}",
            f"{min(trial.coded for trial in these):.1%}".replace("%", " %"),
            f"{1 / max(trial.share for trial in these):.1f}",
            f"{sum(bool(one.groups) and not one.fault for one in cut)} of {len(removed)}",
            sum(bool(one.unsupported) for one in cut),
            f"{min(removed):.0%} to {max(removed):.0%}".replace("%", " %") if removed else "",
            f"{sum(not one.fault for one in known)} of {len(known)}",
        )


def measured_aloud(architecture: Architecture) -> Measured:
    """Measure a network, and say which."""
    print(f"{architecture.family}: {architecture.name}, measured", file=sys.stderr, flush=True)
    return measured(architecture)


def summary(found: Sequence[Narrowing]) -> str:
    """Return how many were narrowed, rightly or not, and how many cannot be."""
    supported = [one for one in found if not one.unsupported]
    right = sum(not one.fault for one in supported)
    return f"narrowed: {right} of {len(supported)}, not supported: {len(found) - len(supported)}"


def in_fresh_process(trials: Sequence[Trial]) -> dict[str, str]:
    """Return what a new Python answers that sees the files' bytes alone, by name."""
    with tempfile.TemporaryDirectory() as folder:
        for number, trial in enumerate(trials):
            (Path(folder) / f"{number}.safetensors").write_bytes(trial.blob)
        listed = {trial.architecture.name: number for number, trial in enumerate(trials)}
        (Path(folder) / "names.json").write_text(json.dumps(listed), encoding="utf-8")
        command = [sys.executable, __file__, "--answers", folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def answers(folder: Path) -> dict[str, str]:
    """Return what the files of a folder answer."""
    listed = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    known = {one.name: one for one in (*fixtures(), *foreign())}
    return {
        name: answer(known[name], (folder / f"{number}.safetensors").read_bytes())
        for name, number in listed.items()
    }


def narrowed(architectures: Sequence[Architecture]) -> Iterator[Narrowing]:
    """Yield what becomes of each without 30 % of its channels, in a process that may be ended."""
    pool = ProcessPoolExecutor(1)
    for one in architectures:
        print(f"{one.family}: {one.name}, narrowed", file=sys.stderr, flush=True)
        worker = psutil.Process(pool.submit(ready, one.name).result())
        found = patiently(pool.submit(narrowing, one.name), worker)
        if found is None:
            pool.shutdown(wait=True, kill_workers=True)
            pool = ProcessPoolExecutor(1)
            reason = f"torch-pruning finds no end in {PATIENCE} seconds"
        yield found or Narrowing(unsupported=reason)
    pool.shutdown()


def patiently(future: Future[Narrowing], worker: psutil.Process) -> Narrowing | None:
    """Return what comes of it; None once the worker has computed for too long."""
    begin = worker.cpu_times().user
    while True:
        try:
            return future.result(1)
        except TooLate:
            if worker.cpu_times().user - begin > PATIENCE:
                return None


if __name__ == "__main__":
    main()
