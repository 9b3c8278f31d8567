"""The same run on real machines: a folder for each of them, and the line that starts it."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from ipaddress import ip_address
from os import PathLike
from pathlib import Path
from typing import Any

from workbench.arguments import expect_path
from workbench.domain import Model
from workbench.errors import InputError, file_errors
from workbench.parallel.job import JOB_FILE, prepare
from workbench.parallel.plan import Plan
from workbench.validation import expect_model

PORT = 29500
SOURCE = "source.py"
MODULE = "workbench.parallel.node"


@dataclass(frozen=True)
class TorchrunJob:
    """A run that `torchrun` starts.

    Attributes
    ----------
    folder : Path
        To copy to each machine, at the same place or another.
    lines : tuple of str
        One command line per machine, to run in the folder's parent.
    """

    folder: Path
    lines: tuple[str, ...]


def write_job(
    model: Model,
    folder: str | PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    source: str | None = None,
    **settings: Any,
) -> TorchrunJob:
    """Write a training run for `torchrun` on one or two machines with Workbench installed.

    Every rank prints the digest of its weights; it is that of `train_in_parallel` with the same
    settings on the same kind of processor.

    Parameters
    ----------
    model
        A built-in model, or one whose module `source` makes.
    folder
        The folder to write, which is then copied to each machine.
    host, port
        Where the first machine listens. The default accepts connections from this machine only.
    source
        As for `wb.train_in_parallel`.
    settings
        As in `train_in_parallel`, without shared weights.

    Raises
    ------
    InputError
        If a setting is not allowed.
    FileError
        If the folder cannot be written.
    """
    expect_model(model)
    path = expect_path(folder, "folder")
    plan = Plan.of(settings)
    if plan.shares_weights:
        raise InputError(
            "Machines do not share memory; choose a sync other than 'shared'.",
            code="parallel.no_shared_memory",
        )
    _check_address(host, port)
    _check_link(plan, host)
    with file_errors("write", path):
        path.mkdir(parents=True, exist_ok=True)
        job = prepare(model, plan, source, path, portable=True)
        if source is not None:
            copy_source(job, path)
    return TorchrunJob(
        path, tuple(torchrun_line(plan, path, n, host, port) for n in range(plan.machines))
    )


def _check_address(host: object, port: object) -> None:
    if not isinstance(host, str) or not re.fullmatch(r"[\w.:\[\]-]+", host):
        raise InputError(
            "host must be the name or the address of the first machine, such as '10.0.0.5'.",
            code="parallel.host",
        )
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 2**16:
        raise InputError("port must be an integer from 1 to 65,535.", code="parallel.port")


def _check_link(plan: Plan, host: str) -> None:
    """Refuse a simulated link whose messages would be timed by the clocks of two machines."""
    simulated = bool(plan.link.latency or plan.link.bandwidth)
    several = plan.machines > 1 and not _on_loopback(host)
    if plan.strategy == "pipeline" and simulated and several:
        raise InputError(
            "A simulated link needs one clock for all ranks of a pipeline, which real machines do "
            "not have; leave out latency_ms and bandwidth: their own link takes its time.",
            code="parallel.no_common_clock",
        )


def _on_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name
        return False


def copy_source(job: dict[str, Any], folder: Path) -> None:
    """Copy the user's file into the job, which names it by a relative path then."""
    (folder / SOURCE).write_bytes(Path(job["module"]["path"]).read_bytes())
    module = {**job["module"], "path": SOURCE}
    text = json.dumps({**job, "module": module}, indent=1)
    (folder / JOB_FILE).write_text(text, encoding="utf-8")


def torchrun_line(plan: Plan, folder: Path, machine: int, host: str, port: int) -> str:
    """Return the command line of one machine."""
    first = plan.ranks // plan.machines
    processes = plan.ranks - first if machine and plan.machines == 2 else first
    if plan.ranks % plan.machines:
        raise InputError(
            f"torchrun needs equally many ranks on each machine, but {plan.ranks} ranks are not "
            f"divisible by {plan.machines}.",
            code="parallel.uneven_machines",
        )
    return (
        f"torchrun --nnodes={plan.machines} --nproc-per-node={processes} --node-rank={machine} "
        f"--master-addr={host} --master-port={port} -m {MODULE} {shlex.quote(str(folder))}"
    )
