"""The process of a rank: `python -m workbench.parallel.worker`.

It reads one JSON object per line from standard input, runs the command, and writes events as lines
of JSON. When standard input closes, because the caller closed it or died in any way, the process
ends at once.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from workbench.errors import WorkbenchError, first_line
from workbench.parallel.waits import PATIENCE, here

Events = Callable[[Mapping[str, Any]], None]
FAILED = "parallel.rank_failed"
REMOVALS = 10


def main() -> None:
    """Run commands until standard input closes."""
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no event
    lock = threading.Lock()

    def emit(event: Mapping[str, Any]) -> None:
        with lock:
            protocol.write(json.dumps(event) + "\n")
            protocol.flush()

    requests: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read, args=(requests, emit), daemon=True).start()
    import torch

    torch.set_num_threads(1)
    gc.freeze()
    emit({"event": "ready", "id": os.getpid()})
    while True:
        run(json.loads(requests.get()), emit)
        gc.collect()  # networks and their hooks refer to each other


def _read(requests: SimpleQueue[str], emit: Events) -> None:
    """Answer at once what the rank waits for; the main thread may be inside of a collective."""
    folder = ""
    with suppress(OSError):  # the caller has ended
        for line in sys.stdin:
            command = json.loads(line)
            if command["command"] == "where":
                emit({"event": "where", **here.as_json()})
            elif command["command"] == "keep":
                folder = command["folder"]
            else:
                requests.put(line)
    remove(folder)
    os._exit(0)


def remove(folder: str) -> None:
    """Remove the files of a run whose caller has ended; other ranks may still write some."""
    for _attempt in range(REMOVALS):
        if folder and Path(folder).exists():
            shutil.rmtree(folder, ignore_errors=True)


def run(request: Mapping[str, Any], emit: Events) -> None:
    """Run one command and send its result, or its error, as the last event."""
    try:
        emit({"event": "end", "result": COMMANDS[request["command"]](request, emit)})
    except WorkbenchError as error:
        emit({"event": "error", "code": error.code, "message": str(error)})
    except Exception as error:  # noqa: BLE001 - the caller raises it again
        text = f"{type(error).__name__}: {first_line(error)}"
        emit({"event": "error", "code": FAILED, "message": text})


def _train(request: Mapping[str, Any], emit: Events) -> dict[str, Any]:
    import torch.distributed as dist
    from torch._C._distributed_c10d import FileStore

    from workbench.parallel.node import check_files
    from workbench.parallel.rank.clock import Clock
    from workbench.parallel.rank.group import join
    from workbench.parallel.rank.shared_weights import count_lost_updates
    from workbench.parallel.rank.training import Training, leave

    folder, rank = Path(request["folder"]), int(request["rank"])
    description = request["job"]
    check_files(folder, description)
    plan = description["plan"]
    clock = Clock()
    try:
        join(
            FileStore(request["store"], plan["ranks"]),
            rank,
            plan["ranks"],
            address=request["address"],
            seconds=plan["limit"] + PATIENCE,
            clock=clock,
            link=_link(plan),
        )
        training = Training(folder, description, rank, clock, emit)
        result = training.run()
        if training.plan.shares_weights:
            path = folder / f"number-{description['run']}"
            locked = training.plan.sync == "shared_locked"
            result["increments"] = count_lost_updates(path, plan["limit"] + PATIENCE, locked=locked)
        dist.barrier()
        return result
    finally:
        leave()


def _link(plan: Mapping[str, Any]) -> Any:
    from workbench.parallel.plan import Plan

    return Plan.of({**plan, "shards": tuple(plan["shards"])}).link


def _evaluate(request: Mapping[str, Any], emit: Events) -> dict[str, Any]:
    from workbench.parallel.rank.tasks import evaluate

    return evaluate(request, emit)


def _measure(request: Mapping[str, Any], emit: Events) -> dict[str, Any]:
    from workbench.parallel.rank.tasks import measure

    return measure(request, emit)


COMMANDS: dict[str, Callable[[Mapping[str, Any], Events], dict[str, Any]]] = {
    "train": _train,
    "evaluate": _evaluate,
    "measure": _measure,
}

if __name__ == "__main__":
    main()
