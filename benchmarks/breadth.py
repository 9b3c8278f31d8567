"""Does any architecture survive the file? Half of the weights are zero, the rest has 4 bits.

Every network has random weights without zeros and ones; it is encoded and saved. A new process
builds each network, loads the file and runs it on two inputs; the outputs must equal, bit for bit,
those of the network here with the decoded tensors. Then 30 % of the channels are removed where
torch-pruning supports the network; the outputs must equal those of the full network in which the
channels have no effect. Finally, each network is measured as a user module, original and
compressed: the values must equal those of a simple loop over the module, and at least 95 % of the
networks must be measured.

    python benchmarks/breadth.py [--only NAME]

The networks of transformers are included if it is installed (`pip install -e ".[breadth]"`). They
are built from configurations, without downloads. The exit status is 1 if anything fails.
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
from concurrent.futures import Future, TimeoutError as FutureTimeoutError
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers reads it
os.environ["WORKBENCH_STORE"] = ""  # disables the result cache
sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

import _table
import psutil
import torch
from _architectures import fixtures, foreign
from _architectures.architecture import Architecture
from _architectures.channel_removal import Removal, remove, warm_up
from _architectures.measuring import Measured, measured
from _architectures.trial import Trial, output_digest, run_trial
from joblib.externals.loky import ProcessPoolExecutor

TIMEOUT = 30
"""CPU seconds for torch-pruning to trace a network; for some it does not terminate."""
MIN_MEASURED = 0.95


def main() -> None:
    """Print a line for each family, the totals, and the failures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="the name of one architecture")
    parser.add_argument("--answers", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # third-party networks cause warnings
    torch.set_num_threads(1)
    if options.answers:
        print(json.dumps(answers(options.answers)))
        return
    local, others = (
        [a for a in architectures if options.only in ("", a.name)]
        for architectures in (fixtures(), foreign())
    )
    if not others:
        print("transformers is not installed or not selected: its networks are skipped.\n")
    print(_table.machine(), end="\n\n")
    failed = [*measure("PyTorch only", local), *measure("transformers", others)]
    print(*failed, sep="\n")
    sys.exit(bool(failed))


def measure(title: str, architectures: Sequence[Architecture]) -> list[str]:
    """Print the table of `architectures` and return a line for each failure."""
    if not architectures:
        return []
    trials = []
    for architecture in architectures:
        log(architecture, "encoding")
        trials.append(run_trial(architecture))
    faults = {trial.architecture.name: list(trial.faults) for trial in trials}
    digests = in_new_process(trials)
    for trial in trials:
        if digests.get(trial.architecture.name) != trial.digest:
            faults[trial.architecture.name].append("a new process has other outputs")
    removals = dict(zip(faults, removed(architectures), strict=True))
    measurements = {}
    for architecture in architectures:
        log(architecture, "measuring")
        measurements[architecture.name] = measured(architecture)
    refused = {name: m.refused for name, m in measurements.items() if m.refused}
    print(f"{title}: {sum(not f for f in faults.values())} of {len(trials)} pass; ", end="")
    print(summary(list(removals.values())), end="; ")
    print(f"measured: {len(trials) - len(refused)} of {len(trials)}", end="\n\n")
    print(_table.table(COLUMNS, rows(trials, faults, removals, measurements)))
    reasons = Counter(r.unsupported for r in removals.values() if r.unsupported)
    for reason, count in reasons.most_common():
        names = [name for name, r in removals.items() if r.unsupported == reason]
        print(f"\n{reason} ({count}): {'; '.join(names)}.", end="")
    for name, reason in refused.items():
        print(f"\nNot measured, {name}: {reason}", end="")
    print("\n")
    for name, removal in removals.items():
        faults[name] += [f"channels removed: {removal.fault}"] if removal.fault else []
        faults[name] += [measurements[name].fault] if measurements[name].fault else []
    if len(refused) > (1 - MIN_MEASURED) * len(trials):
        faults["all"] = [f"{len(refused)} of {len(trials)} are not measured"]
    return [f"{name}: {fault}" for name, listed in faults.items() for fault in listed]


COLUMNS = (
    "family",
    "networks",
    "pass",
    "values",
    "least encoded",
    "least times smaller",
    "channels removed, correct",
    "not supported",
    "values removed with channels",
    "measured, correct",
)


def rows(
    trials: Sequence[Trial],
    faults: dict[str, list[str]],
    removals: dict[str, Removal],
    measurements: dict[str, Measured],
) -> Iterator[Sequence[object]]:
    """Yield a line for each family."""
    for family in dict.fromkeys(trial.architecture.family for trial in trials):
        members = [trial for trial in trials if trial.architecture.family == family]
        names = [trial.architecture.name for trial in members]
        all_removals = [removals[name] for name in names]
        fractions = [r.removed for r in all_removals if r.groups]
        results = [measurements[name] for name in names if not measurements[name].refused]
        yield (
            family,
            len(members),
            sum(not faults[name] for name in names),
            f"{sum(trial.values for trial in members):,}",
            f"{min(trial.encoded for trial in members):.1%}".replace("%", " %"),
            f"{1 / max(trial.size for trial in members):.1f}",
            f"{sum(bool(r.groups) and not r.fault for r in all_removals)} of {len(fractions)}",
            sum(bool(r.unsupported) for r in all_removals),
            f"{min(fractions):.0%} to {max(fractions):.0%}".replace("%", " %") if fractions else "",
            f"{sum(not result.fault for result in results)} of {len(results)}",
        )


def log(architecture: Architecture, action: str) -> None:
    """Print the progress to stderr."""
    print(f"{architecture.family}: {architecture.name}, {action}", file=sys.stderr, flush=True)


def summary(removals: Sequence[Removal]) -> str:
    """Return how many networks lost channels correctly, and how many are not supported."""
    supported = [r for r in removals if not r.unsupported]
    correct = sum(not r.fault for r in supported)
    unsupported = len(removals) - len(supported)
    return f"channels removed: {correct} of {len(supported)}, not supported: {unsupported}"


def in_new_process(trials: Sequence[Trial]) -> dict[str, str]:
    """Return the output digests of a new Python process that has only the files, by name."""
    with tempfile.TemporaryDirectory() as folder:
        for number, trial in enumerate(trials):
            (Path(folder) / f"{number}.safetensors").write_bytes(trial.blob)
        numbers = {trial.architecture.name: number for number, trial in enumerate(trials)}
        (Path(folder) / "names.json").write_text(json.dumps(numbers), encoding="utf-8")
        command = [sys.executable, __file__, "--answers", folder]
        process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    digests: dict[str, str] = json.loads(process.stdout)
    return digests


def answers(folder: Path) -> dict[str, str]:
    """Return the output digests of the files in a folder."""
    numbers = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    known = {a.name: a for a in (*fixtures(), *foreign())}
    return {
        name: output_digest(known[name], (folder / f"{number}.safetensors").read_bytes())
        for name, number in numbers.items()
    }


def removed(architectures: Sequence[Architecture]) -> Iterator[Removal]:
    """Remove 30 % of the channels of each network, in a process that can be killed."""
    pool = ProcessPoolExecutor(1)
    for architecture in architectures:
        log(architecture, "removing channels")
        worker = psutil.Process(pool.submit(warm_up, architecture.name).result())
        result = wait_for(pool.submit(remove, architecture.name), worker)
        if result is None:
            pool.shutdown(wait=True, kill_workers=True)
            pool = ProcessPoolExecutor(1)
            result = Removal(unsupported=f"torch-pruning does not end in {TIMEOUT} seconds")
        yield result
    pool.shutdown()


def wait_for(future: Future[Removal], worker: psutil.Process) -> Removal | None:
    """Return the result, or None once the worker has used too much CPU time."""
    start = worker.cpu_times().user
    while True:
        try:
            return future.result(1)
        except FutureTimeoutError:
            if worker.cpu_times().user - start > TIMEOUT:
                return None


if __name__ == "__main__":
    main()
