"""A rank that `torchrun` started: `torchrun … -m workbench.parallel.node FOLDER`.

It prints one line of JSON with its rank and the digest of its weights.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from workbench.errors import InputError, WorkbenchError
from workbench.parallel.job import JOB_FILE
from workbench.parallel.plan import Plan

ADDRESS = "WORKBENCH_ADDRESS"
"""The environment variable with the address of this machine that gloo uses, if it has several."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one rank; return the exit status."""
    (folder,) = sys.argv[1:] if arguments is None else arguments
    try:
        sys.stdout.write(json.dumps(run(Path(folder))) + "\n")
    except WorkbenchError as error:
        sys.stderr.write(f"rank {os.environ.get('RANK')}: {error}\n")
        return 2
    return 0


def run(folder: Path) -> dict[str, Any]:
    """Train as one rank of the job in `folder`.

    Raises
    ------
    InputError
        If the files are not those that were written, or the number of ranks differs.
    """
    import torch
    import torch.distributed as dist
    from torch._C._distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    from workbench.parallel.rank.clock import Clock
    from workbench.parallel.rank.group import join
    from workbench.parallel.rank.training import Training, leave

    torch.set_num_threads(1)
    job = json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))
    check_files(folder, job)
    plan = Plan.of(job["plan"] | {"shards": tuple(job["plan"]["shards"])})
    ranks = int(os.environ["WORLD_SIZE"])
    if ranks != plan.ranks:
        raise InputError(
            f"The job is for {plan.ranks} ranks, but torchrun started {ranks}.",
            code="parallel.other_ranks",
        )
    store, rank, ranks = next(rendezvous("env://", timeout=timedelta(seconds=plan.limit)))
    address = os.environ.get(ADDRESS) or local_address(os.environ["MASTER_ADDR"])
    clock = Clock()
    try:
        join(
            PrefixStore("workbench", store),
            rank,
            ranks,
            address=address,
            seconds=plan.limit,
            clock=clock,
            link=plan.link,
        )
        with tempfile.TemporaryDirectory(prefix="workbench-") as results:
            training = Training(
                folder, job, rank, clock, lambda _event: None, results=Path(results)
            )
            measured = training.run()
        dist.barrier()
    finally:
        leave()
    return {"rank": rank, "digest": measured["digest"], "seconds": measured["seconds"]}


def local_address(master: str) -> str:
    """Return the address from which this machine reaches `master`; nothing is sent.

    It is a loopback address if `master` is one.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((master, 1))
        return str(probe.getsockname()[0])


def check_files(folder: Path, job: dict[str, Any]) -> None:
    """Raise if a file of a job is not the one that was written.

    Raises
    ------
    InputError
        If a digest differs.
    """
    for name, digest in job["digests"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise InputError(
                f"{name} of the job differs from the file that was written; copy the folder again.",
                code="parallel.job_changed",
            )


if __name__ == "__main__":
    sys.exit(main())
