"""The process group of a rank: gloo, with a clock and a simulated link around each collective.

Data parallel training, FSDP2, DTensor and the optimizer of ZeRO-1 all communicate through the
group, so one wrapper measures every strategy. Collectives are synchronous: communication does not
overlap with computing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import Store
from torch.distributed import ProcessGroupGloo

from workbench.parallel.link import Link
from workbench.parallel.rank.clock import Clock, Span
from workbench.parallel.waits import here

GlooOptions: Any = ProcessGroupGloo._Options  # type: ignore[attr-defined] # noqa: SLF001 - it has no public name
BACKEND = "workbench"
COLLECTIVES = {
    "allreduce": "all_reduce",
    "allreduce_coalesced": "all_reduce",
    "broadcast": "broadcast",
    "scatter": "scatter",
    "allgather": "all_gather",
    "_allgather_base": "all_gather",
    "all_gather_single": "all_gather",
    "all_gather_single_coalesced": "all_gather",
    "allgather_into_tensor_coalesced": "all_gather",
    "_reduce_scatter_base": "reduce_scatter",
    "reduce_scatter": "reduce_scatter",
    "reduce_scatter_single": "reduce_scatter",
    "reduce_scatter_single_coalesced": "reduce_scatter",
    "reduce_scatter_tensor_coalesced": "reduce_scatter",
    "barrier": "barrier",
}
"""The methods of a process group that are measured, and the kind of each."""
PAYLOAD_SECOND = {"all_gather", "reduce_scatter", "scatter"}
"""Kinds whose second argument is what the rank hands over; the first receives the result."""


class TimedGroup(dist.ProcessGroup):
    """A gloo group on one network address that records each collective.

    Parameters
    ----------
    address
        The address that gloo listens on; one of the loopback unless the user names another.
    """

    def __init__(
        self,
        store: Store,
        rank: int,
        ranks: int,
        *,
        address: str,
        seconds: float,
        clock: Clock,
        link: Link,
    ) -> None:
        super().__init__(rank, ranks)  # type: ignore[call-arg]
        options = GlooOptions()
        options._devices = [ProcessGroupGloo.create_device(hostname=address)]  # noqa: SLF001
        options._timeout = timedelta(seconds=seconds)  # noqa: SLF001
        gloo = dist.ProcessGroup.BackendType.GLOO
        self._inner = dist.ProcessGroup(store, rank, ranks)
        self._inner._set_default_backend(gloo)  # noqa: SLF001
        backend = ProcessGroupGloo(store, rank, ranks, options)
        self._inner._register_backend(torch.device("cpu"), gloo, backend)  # noqa: SLF001
        self._clock, self._link, self._ranks = clock, link, ranks
        self._name = self._description = ""
        self._count = 0

    def getBackendName(self) -> str:  # noqa: N802 - the names of torch
        """Return the name of the backend."""
        return BACKEND

    def getSize(self) -> int:  # noqa: N802
        """Return the number of ranks."""
        return self._ranks

    def setGroupName(self, name: str) -> None:  # noqa: N802
        """Set the name by which torch finds the group."""
        self._name = name

    def getGroupName(self) -> str:  # noqa: N802
        """Return the name of the group."""
        return self._name

    def setGroupDesc(self, description: str) -> None:  # noqa: N802
        """Set a description."""
        self._description = description

    def getGroupDesc(self) -> str:  # noqa: N802
        """Return the description."""
        return self._description

    @property
    def group_name(self) -> str:  # type: ignore[override]
        """The name of the group."""
        return self._name

    def collective(self, method: str, args: Sequence[Any]) -> Any:
        """Call a method of the gloo group, wait for it, and record it."""
        kind = COLLECTIVES[method]
        start = self._clock.begin()
        with here.waiting(kind):
            work = getattr(self._inner, method)(*args)
            work.wait()
        payload = _payload(kind, args)
        delay = self._link.seconds(kind, payload, self._ranks) if self._clock.running else 0.0
        if delay:
            here.delay(delay)
        if self._clock.running:
            self._count += 1
        key = f"{kind}:{self._count}"
        self._clock.end(Span(kind, start, time.perf_counter(), bytes=payload, key=key, delay=delay))
        return work

    def send(self, *args: Any) -> Any:
        """Send without a record; `messages` records messages between two ranks."""
        return self._inner.send(*args)

    def recv(self, *args: Any) -> Any:
        """Receive without a record."""
        return self._inner.recv(*args)


def _measured(method: str) -> Callable[..., Any]:
    def call(self: TimedGroup, *args: Any, **_options: Any) -> Any:
        return self.collective(method, args)

    return call


for _method in COLLECTIVES:
    setattr(TimedGroup, _method, _measured(_method))


def _payload(kind: str, args: Sequence[Any]) -> int:
    if kind == "barrier":
        return 0
    return _bytes(args[1] if kind in PAYLOAD_SECOND else args[0])


def _bytes(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.nbytes
    return sum(_bytes(item) for item in value) if isinstance(value, list | tuple) else 0


def join(
    store: Store,
    rank: int,
    ranks: int,
    *,
    address: str,
    seconds: float,
    clock: Clock,
    link: Link,
) -> None:
    """Create the default process group of this rank.

    Parameters
    ----------
    seconds
        The longest time that a collective waits.
    """

    def create(store: Store, rank: int, ranks: int, _timeout: timedelta) -> TimedGroup:
        return TimedGroup(
            store, rank, ranks, address=address, seconds=seconds, clock=clock, link=link
        )

    dist.Backend.register_backend(BACKEND, create, devices=["cpu"])
    # Groups are numbered, and ranks find each other by the number. A rank whose connection failed
    # would go on counting, and wait for the others for ever in its next run.
    dist.distributed_c10d._world.group_count = 0  # noqa: SLF001 - only leaving a group resets it
    with here.waiting("join"):  # another rank may refuse its task and leave while this one connects
        dist.init_process_group(BACKEND, store=store, rank=rank, world_size=ranks)
