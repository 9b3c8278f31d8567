"""A process that loads modules once and then makes processes, where the system can copy them.

They share the memory of what it has loaded until they write to it, and start at once. Only Linux
does this safely: Windows cannot, and the libraries of macOS do not expect it.

As a module, `python -m workbench.fork_server MODULE... --later [MODULE...]` is that process. Its
standard input is a socket: a message with three files makes a process with them as its standard
files; a number asks for the status of a process that has ended. A new process writes its number,
reads one line of JSON with its environment variables and a function, and calls it.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module

AVAILABLE = sys.platform == "linux"
NAME = "workbench.fork_server"
LATER = "--later"
IDLE_SECONDS = 10.0
"""Without a message for this long, the process loads what it was given for later."""
WATCH_SECONDS = 0.2
"""Between two looks whether the caller has ended, while modules are loaded."""
LENGTH = 32
"""The longest message, in bytes."""


class ForkServer:
    """The process, as its caller sees it. It ends with its caller.

    Parameters
    ----------
    modules
        Loaded before the first process is made. One whose import fails is left to the processes,
        which can say why.
    environment
        The environment variables while modules are loaded.
    later
        Loaded once nothing has been asked for some seconds.
    """

    def __init__(
        self,
        modules: Sequence[str],
        environment: Mapping[str, str],
        later: Sequence[str] = (),
    ) -> None:
        self._channel, other = socket.socketpair()
        self._lock = threading.Lock()
        command = [sys.executable, "-m", NAME, *modules, LATER, *later]
        with other:
            nothing = subprocess.DEVNULL
            self.process = subprocess.Popen(
                command, stdin=other.fileno(), stdout=nothing, stderr=nothing, env=environment
            )

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def start(self, files: tuple[int, int, int]) -> None:
        """Make a process with these standard files, when all is loaded; this does not wait."""
        with self._lock, suppress(OSError):  # it has ended, which ends the standard output too
            socket.send_fds(self._channel, [b"start"], files)

    def status(self, process_id: int) -> int | None:
        """Return the status of a process that has ended, None if this one has ended as well."""
        with self._lock, suppress(OSError):
            self._channel.send(str(process_id).encode())
            if answer := self._channel.recv(LENGTH):
                return int(answer)
        return None

    def close(self) -> None:
        """End the process; those that it has made go on."""
        self.process.kill()
        self.process.wait()
        self._channel.close()


def main(*names: str) -> None:
    """Make processes until the caller has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller ends its processes
    border = names.index(LATER)
    later = names[border + 1 :]
    channel = socket.socket(fileno=os.dup(0))
    with _ending_with_caller(channel):
        _load(names[:border])
    while True:
        if later and not select.select([channel], [], [], IDLE_SECONDS)[0]:
            with _ending_with_caller(channel):
                _load(later)
            later = ()
        message, files, _flags, _address = socket.recv_fds(channel, LENGTH, 3)
        if files:
            if os.fork() == 0:
                channel.close()
                _call(files)
            for file in files:
                os.close(file)
        elif message:
            _id, status = os.waitpid(int(message), 0)
            channel.send(str(os.waitstatus_to_exitcode(status)).encode())
        else:
            return


@contextmanager
def _ending_with_caller(channel: socket.socket) -> Iterator[None]:
    """End this process if the caller ends in the context; no thread is left after it."""
    loaded = threading.Event()

    def watch() -> None:
        caller = select.poll()
        caller.register(channel, 0)  # of which the end is reported in any case
        while not loaded.wait(WATCH_SECONDS):
            if caller.poll(0):
                os._exit(1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        loaded.set()
        watcher.join()


def _load(names: Iterable[str]) -> None:
    for name in names:
        with suppress(Exception):  # a broken library raises errors of any type
            import_module(name)
    gc.collect()
    gc.freeze()  # a collection would write to what the processes share


def _call(files: list[int]) -> None:
    """Call the function of the caller with these standard files, and exit.

    The status is 0 if the function returns.
    """
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    status = 1

    def end() -> None:
        with suppress(OSError):  # its reader has ended
            sys.stdout.flush()
        os._exit(status)

    # The destructors of libraries would wait for threads that a copy does not have.
    atexit.register(end)
    with suppress(BrokenPipeError):  # the caller has closed it, and its input too
        os.write(1, f"{os.getpid()}\n".encode())
    if line := sys.stdin.readline():
        request = json.loads(line)
        os.environ.clear()
        os.environ.update(request["environment"])
        module, _colon, name = request["function"].partition(":")
        getattr(import_module(module), name)()
    status = 0
    sys.exit()  # the loop of the other process is not for this one


if __name__ == "__main__":
    main(*sys.argv[1:])
