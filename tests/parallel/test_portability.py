"""Nothing of parallel training needs POSIX: macOS and Windows run the same code."""

from __future__ import annotations

import ast
import socket
from pathlib import Path

import psutil
import pytest

import workbench.parallel
from tests.raises import raises
from workbench import fork_server
from workbench.parallel.pool import Pool
from workbench.parallel.rank_process import ENVIRONMENT
from workbench.parallel.train import LOOPBACK, address

FILES = sorted(Path(workbench.parallel.__file__).parent.rglob("*.py"))
POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty"}
POSIX_NAMES = {
    *("fork", "forkpty", "killpg", "setsid", "setpgid", "getuid", "geteuid", "getpgid", "mkfifo"),
    *("pread", "pwrite", "register_at_fork", "sched_setaffinity", "uname", "waitpid", "wait3"),
    *("AF_UNIX", "SIGKILL", "SIGALRM", "SIGCHLD", "SIGUSR1", "alarm", "getloadavg", "WNOHANG"),
    *("preexec_fn", "start_new_session", "pass_fds", "MAP_SHARED", "MAP_ANONYMOUS"),
}


def posix_parts(source):
    """Return what a file uses that only POSIX systems have."""
    used = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names]
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used |= POSIX_MODULES & {name.partition(".")[0] for name in modules}
        if isinstance(node, ast.Attribute):
            used |= POSIX_NAMES & {node.attr}
        if isinstance(node, ast.keyword):
            used |= POSIX_NAMES & {node.arg}
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            used |= {node.value} if node.value.startswith(("/dev/", "/proc/", "/tmp/")) else set()
    return used


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_uses_what_only_posix_has(path):
    assert posix_parts(path.read_text(encoding="utf-8")) == set()


def test_the_process_that_copies_itself_is_made_where_it_is_available():
    users = {path.name for path in FILES if "ForkServer(" in path.read_text(encoding="utf-8")}
    assert users == {"pool.py"}
    importing = ast.parse(Path(fork_server.__file__).read_text(encoding="utf-8")).body
    outside = [node for node in importing if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert posix_parts("\n".join(ast.unparse(node) for node in outside)) == set()


@pytest.mark.slow
def test_ranks_start_as_programs_where_processes_are_not_copied(monkeypatch):
    monkeypatch.setattr("workbench.parallel.pool.AVAILABLE", False)
    own = Pool()
    try:
        with raises("parallel.rank_failed", "Rank 0"):
            own.run([{"command": "train", "folder": "", "rank": 0}], limit=60)
        own.start(1)
        psutil.Process(own.process_ids[0]).kill()
        with raises("parallel.rank_died", "rank 0 of 1"):
            own.run([{"command": "evaluate", "folder": ""}], limit=60)
    finally:
        own.close()


def test_the_search_finds_what_only_posix_has():
    source = "import os, resource\nos.fork()\nopen('/dev/shm/x')\nPopen(start_new_session=True)"
    assert posix_parts(source) == {"resource", "fork", "/dev/shm/x", "start_new_session"}


def test_ranks_share_an_address_where_the_loopback_has_one(monkeypatch):
    class OneAddress(socket.socket):
        def bind(self, where):
            if where[0] != LOOPBACK[0]:
                raise OSError("Can't assign requested address")
            super().bind(where)

    assert address(3, 4, 2) == LOOPBACK[1]
    monkeypatch.setattr(socket, "socket", OneAddress)
    assert {address(rank, 4, 2) for rank in range(4)} == {LOOPBACK[0]}


def test_ranks_use_no_libuv_which_pytorch_lacks_on_windows():
    assert ENVIRONMENT["USE_LIBUV"] == "0"
