"""Kill studies and their workers at random moments, and compare them with undisturbed ones.

python benchmarks/study_kills.py [--quick] [PART ...]

Parts: process (the process of the study, which measures itself), parent (that of a study with local
processes), local (one of those), dask (a worker of a cluster; needs the extra `cluster`).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from _grids import GRID, empty_store, new_log

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.study import Study, run_study
from workbench.study.executors import Dask, Local
from workbench.study.result import StudyResult

QUICK = "--quick" in sys.argv
KILLS, RECIPES = (3, 24) if QUICK else (20, 60)
MODEL = "fashion/mlp-32"
SCRIPT = f"""
import json, sys, workbench as wb
from workbench.study import Space, Study, run_study
from workbench.study.executors import InThisProcess, Local
model, space = wb.model({MODEL!r}), Space({dict(GRID.axes)!r})
study = Study.of(model, space, recipes={RECIPES})
executor = Local(2) if sys.argv[2] == "local" else InThisProcess()
if __name__ == "__main__":
    result = run_study(model, study, log=sys.argv[1], executor=executor)
    print(json.dumps([(t.bytes, t.value) for t in result.front]))
"""


def front(result: StudyResult) -> list[list[Any]]:
    """Return bytes and metric of each point of the front."""
    return [[trial.bytes, trial.value] for trial in result.front]


def twice(log: Path) -> str:
    """Return how many measurements of a log occur again."""
    trials = [json.loads(line) for line in log.read_text().splitlines()[1:]]
    keys = [(json.dumps(trial["recipe"]), trial["state"]) for trial in trials]
    return f"{len(keys) - len(set(keys))} of {len(keys)}"


def report(what: str, kills: int, *, same: bool, log: Path, left: int) -> None:
    """Print a row."""
    print(
        f"| {what} | {kills} | {'same' if same else 'OTHER'} | {twice(log)} | {left} |", flush=True
    )


def running(marker: str) -> list[int]:
    """Return the processes that have a marker in their environment."""
    pids = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended, or belongs to another user
            if marker in process.environ().values():
                pids.append(process.pid)
    return pids


def kill_process(where: str) -> None:
    """Kill the process that runs the study."""
    log, marker = new_log(), f"study-kills-{os.getpid()}-{where}"
    script = log.with_name("script.py")
    script.write_text(SCRIPT)

    def start(path: Path) -> subprocess.Popen[str]:
        command = [sys.executable, str(script), str(path), where]
        environment = {**os.environ, "STUDY_KILLS": marker}
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    begin = time.perf_counter()
    undisturbed = start(log.with_name("undisturbed")).communicate()[0]
    seconds = time.perf_counter() - begin
    generator, killed = random.Random(0), 0
    while killed < KILLS:
        process = start(log)
        try:
            process.wait(timeout=generator.uniform(0.4, 0.9) * seconds)
            log.unlink()  # it ended before: begin again
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    time.sleep(3)
    left = len(running(marker))
    resumed = start(log).communicate()[0]
    what = "the study" if where == "here" else "the study, 2 local processes"
    report(what, killed, same=json.loads(resumed) == json.loads(undisturbed), log=log, left=left)


def kill_workers(what: str, make: Callable[[], Any], pids: Callable[[Any], list[int]]) -> None:
    """Kill a random worker again and again until enough were killed."""
    model = wb.model(MODEL)
    study = Study.of(model, GRID, recipes=RECIPES)
    run_study(model, study, log=new_log(), executor=make())  # starts the processes
    empty_store()
    begin = time.perf_counter()
    undisturbed = front(run_study(model, study, log=new_log(), executor=make()))
    pause = (time.perf_counter() - begin) / 4
    generator, killed, same, log = random.Random(0), 0, True, new_log()
    while killed < KILLS:
        executor, ended = make(), threading.Event()

        def kill(executor: Any = executor, ended: threading.Event = ended) -> None:
            nonlocal killed
            while not ended.wait(generator.uniform(0.5, 1.5) * pause):
                workers = pids(executor)
                if workers and killed < KILLS:
                    os.kill(generator.choice(workers), signal.SIGKILL)
                    killed += 1

        thread = threading.Thread(target=kill)
        thread.start()
        empty_store()
        try:
            result = run_study(model, study, log=log, executor=executor)
        except WorkbenchError as error:
            if error.code not in {"study.process_died", "study.no_cluster"}:
                raise
            result = None  # the same call continues
        finally:
            ended.set()
            thread.join()
        if result is not None:
            same &= front(result) == undisturbed
            if killed < KILLS:
                log = new_log()
    if result is None:
        same &= front(run_study(model, study, log=log, executor=make())) == undisturbed
    report(what, killed, same=same, log=log, left=0)


def local() -> None:
    """Kill local processes."""

    def pids(_executor: Any) -> list[int]:
        children = psutil.Process().children(recursive=True)
        return [child.pid for child in children if "popen_loky" in " ".join(child.cmdline())]

    kill_workers("a local process", lambda: Local(2), pids)


def dask() -> None:
    """Kill workers of a cluster, whose nannies start new ones.

    A nanny gives up if its worker is killed while it starts; then a new cluster is started.
    """
    from distributed import LocalCluster

    clusters: list[Any] = []

    def make() -> Dask:
        if not (clusters and pids()):
            for cluster in clusters:
                cluster.close()
            options = {"threads_per_worker": 1, "dashboard_address": ":0"}
            clusters[:] = [LocalCluster(n_workers=2, **options)]
        return Dask(clusters[0].scheduler_address)

    def pids(_executor: Any = None) -> list[int]:
        return [nanny.pid for nanny in clusters[0].workers.values() if nanny.pid]

    kill_workers("a worker of a Dask cluster", make, pids)
    clusters[0].close()


PARTS: dict[str, Callable[[], None]] = {
    "process": lambda: kill_process("here"),
    "parent": lambda: kill_process("local"),
    "local": local,
    "dask": dask,
}

if __name__ == "__main__":
    print("| killed | times | front | measured twice | processes left |")
    for part in [argument for argument in sys.argv[1:] if argument in PARTS] or PARTS:
        PARTS[part]()
