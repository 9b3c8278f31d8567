"""A pool of rank processes that is kept between runs and ends with this process."""

from __future__ import annotations

import atexit
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from workbench.cancel import NEVER, CancelToken
from workbench.errors import InputError
from workbench.fork_server import AVAILABLE, ForkServer
from workbench.parallel.rank_process import Event, RankProcess, environment
from workbench.parallel.watch import OnEvent, Watch

IDLE_SECONDS = 300.0
"""How long unused processes are kept."""
SHARED_MODULES = (
    "torch.distributed",
    "safetensors.torch",
    "workbench.zoo.registry",
    "workbench.parallel.node",
    "workbench.parallel.rank.group",
    "workbench.parallel.rank.pipeline",
    "workbench.parallel.rank.sharded",
    "workbench.parallel.rank.shared_weights",
    "workbench.parallel.rank.tensor_parallel",
    "workbench.parallel.rank.training",
)
"""What ranks share where processes can be copied; elsewhere each rank loads PyTorch itself."""


class Pool:
    """Processes for the ranks of one run at a time.

    Attributes
    ----------
    lock : Lock
        Held by the run that uses the pool.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._processes: list[RankProcess] = []
        self._server: ForkServer | None = None
        self._timer: threading.Timer | None = None

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The ids of the processes that run."""
        return tuple(rank.id for rank in self._processes if rank.alive)

    def start(self, count: int, folder: Path | None = None) -> list[RankProcess]:
        """Return `count` processes; those that run are used again.

        Parameters
        ----------
        folder
            The private folder of the run, which they remove if this process is killed.
        """
        if self._timer is not None:
            self._timer.cancel()
        for dead in [rank for rank in self._processes if not rank.alive]:
            dead.kill()
            self._processes.remove(dead)
        if len(self._processes) < count and AVAILABLE:
            if self._server is not None and not self._server.alive:
                self._server.close()
                self._server = None
            self._server = self._server or rank_server()
        while len(self._processes) < count:
            self._processes.append(RankProcess(self._events, self._server))
        ranks = self._processes[:count]
        if folder is not None:
            for rank in ranks:
                rank.ask({"command": "keep", "folder": str(folder)})
        return ranks

    def run(
        self,
        requests: Sequence[Mapping[str, Any]],
        *,
        limit: float,
        on_event: OnEvent = lambda rank, event: None,
        cancel: CancelToken = NEVER,
    ) -> list[dict[str, Any]]:
        """Send one command to each rank and return their results, by rank.

        Parameters
        ----------
        limit
            Seconds without progress of any rank after which the run ends.
        on_event
            Called with the rank and each event.

        Raises
        ------
        InputError
            If a rank refuses the command.
        RankError
            If a rank dies, fails or does not answer in time; it names the rank. All processes have
            ended then.
        Cancelled
            If `cancel` is cancelled. All processes have ended then.
        """
        ranks = self.start(len(requests))
        watch = Watch(ranks, self._events, limit=limit, on_event=on_event, cancel=cancel)
        try:
            for rank, request in zip(ranks, requests, strict=True):
                rank.ask(request)
            results = watch.results()
        except BaseException as error:
            if not (isinstance(error, InputError) and watch.answered):  # else used again
                self.close()
            raise
        self._timer = threading.Timer(IDLE_SECONDS, self._close_if_idle)
        self._timer.daemon = True
        self._timer.start()
        return results

    def close(self) -> None:
        """End all processes."""
        for rank in self._processes:
            rank.kill()
        self._processes.clear()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _close_if_idle(self) -> None:
        if self.lock.acquire(blocking=False):
            try:
                self.close()
            finally:
                self.lock.release()


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder for one run, that only this user can read, and remove it.

    Windows does not remove a file that a rank still maps; it stays with other temporary files then.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


_pool: Pool | None = None


def rank_server() -> ForkServer:
    """Return a new process that makes ranks."""
    return ForkServer(SHARED_MODULES, environment())


def pool() -> Pool:
    """Return the pool of this process; a session's kernel has its own."""
    global _pool
    if _pool is None:
        _pool = Pool()
        atexit.register(_pool.close)
    return _pool
