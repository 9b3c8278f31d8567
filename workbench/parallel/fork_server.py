"""A process that loads PyTorch once and then makes ranks, where the system can copy processes.

Ranks share the memory of what it has loaded until they write to it, and start at once. Only Linux
does this safely: Windows cannot, and the libraries of macOS do not expect it. There, each rank
loads PyTorch itself.

As a module, `python -m workbench.parallel.fork_server` is that process. Its standard input is a
socket: a message with three files makes a rank of them, a number asks for the status of a rank that
has ended.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module

AVAILABLE = sys.platform == "linux"
COMMAND = [sys.executable, "-m", "workbench.parallel.fork_server"]
MODULES = (
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
"""What ranks share."""
LENGTH = 32
"""The longest message, in bytes."""


class ForkServer:
    """The process, as its caller sees it. It ends with its caller.

    Parameters
    ----------
    environment
        The environment variables of the ranks.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._channel, other = socket.socketpair()
        self._lock = threading.Lock()
        with other:
            nothing = subprocess.DEVNULL
            self.process = subprocess.Popen(
                COMMAND, stdin=other.fileno(), stdout=nothing, stderr=nothing, env=environment
            )

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def start(self, files: tuple[int, int, int]) -> None:
        """Make a rank with these standard files, when all is loaded; this does not wait."""
        with self._lock, suppress(OSError):  # it has ended, which ends the standard output too
            socket.send_fds(self._channel, [b"start"], files)

    def status(self, process_id: int) -> int | None:
        """Return the status of a rank that has ended, None if this process has ended as well."""
        with self._lock, suppress(OSError):
            self._channel.send(str(process_id).encode())
            if answer := self._channel.recv(LENGTH):
                return int(answer)
        return None

    def close(self) -> None:
        """End the process; ranks go on."""
        self.process.kill()
        self.process.wait()
        self._channel.close()


def main() -> None:
    """Make ranks until the caller has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller ends its ranks
    for name in MODULES:
        import_module(name)
    gc.collect()
    gc.freeze()  # a collection would write to what ranks share
    channel = socket.socket(fileno=os.dup(0))
    while True:
        message, files, _flags, _address = socket.recv_fds(channel, LENGTH, 3)
        if files:
            if os.fork() == 0:
                channel.close()
                become_rank(files)
            for file in files:
                os.close(file)
        elif message:
            _id, status = os.waitpid(int(message), 0)
            channel.send(str(os.waitstatus_to_exitcode(status)).encode())
        else:
            return


def become_rank(files: list[int]) -> None:
    """Run the commands of a rank with these standard files."""
    from workbench.parallel.worker import main as run_commands

    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    try:
        run_commands()
    finally:
        os._exit(1)  # the loop of the other process is not for this one


if __name__ == "__main__":
    main()
