"""Kernels that are copies of one process: they run, end, and end with that process."""

from __future__ import annotations

import os
import signal
import time
from subprocess import Popen

import psutil
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from tests.coroutines import wait_for
from workbench import fork_server
from workbench.fork_server import AVAILABLE, ForkServer
from workbench.server import kernel_server
from workbench.server.forked_kernel import ENDED, ForkedKernel, ForkProvisioner
from workbench.server.kernel_server import MODULES
from workbench.server.kernels import ServerKernelSpecManager

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not AVAILABLE, reason="only Linux copies processes"),
]
SECONDS = 60


@pytest.fixture
def server():
    server = ForkServer(MODULES, os.environ)
    yield server
    server.close()


def ended(kernel):
    """Return the status of a kernel as soon as it has ended."""
    end = time.monotonic() + SECONDS
    while kernel.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    return kernel.poll()


@pytest.fixture
def start(server, tmp_path):
    def start(number=0):
        path, _connection = write_connection_file(str(tmp_path / f"kernel-{number}.json"))
        environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "NUMBER": str(number)}
        flags = ["-f", path, "--HistoryManager.enabled=False"]
        request = {"name": f"kernel {number}", "flags": flags, "folder": str(tmp_path)}
        return ForkedKernel(server, request, environment), path

    return start


def run(path, code):
    """Return what `code` prints in the kernel of a connection file."""
    client = BlockingKernelClient(connection_file=path)
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        printed = []
        client.execute_interactive(
            code,
            timeout=SECONDS,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        return "".join(printed).strip()
    finally:
        client.stop_channels()


def test_each_kernel_runs_in_its_own_process_and_environment(start, tmp_path):
    kernels = [start(number) for number in (1, 2)]
    code = "import os; print(os.getpid(), os.environ['NUMBER'], os.getcwd(), os.getsid(0))"
    for number, (kernel, path) in enumerate(kernels, 1):
        assert kernel.poll() is None
        assert run(path, code) == f"{kernel.pid} {number} {tmp_path} {kernel.pid}"
        assert psutil.Process(kernel.pid).name() == f"kernel {number}"
    (first, path), (second, _path) = kernels
    run(path, "import atexit, pathlib; atexit.register(pathlib.Path('ended').touch); exit()")
    assert ended(first) == ENDED
    assert (tmp_path / "ended").exists()  # it ends as other processes do
    second.kill()
    assert ended(second) == second.wait() == ENDED
    second.send_signal(15)  # of no effect
    second.terminate()
    second.kill()


def test_a_busy_server_keeps_nobody_waiting(server, start):
    kernel, path = start()
    assert run(path, "print('ready')") == "ready"
    os.kill(server.process.pid, signal.SIGSTOP)  # as if it loaded modules
    try:
        kernel.kill()
        assert ended(kernel) == ENDED
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    end = time.monotonic() + SECONDS
    while psutil.pid_exists(kernel.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not psutil.pid_exists(kernel.pid)  # nor does it stay as a zombie


def test_kernels_end_with_the_process_that_made_them(server, start):
    kernel, path = start()
    assert run(path, "print('ready')") == "ready"
    server.close()
    assert ended(kernel) == ENDED
    with pytest.raises(ChildProcessError):
        start(1)


def test_a_process_that_has_ended_is_replaced(monkeypatch):
    monkeypatch.setattr(kernel_server, "_servers", [])
    monkeypatch.setattr(kernel_server.atexit, "register", lambda _close: None)
    first = kernel_server.running(os.environ, complete=True)
    assert kernel_server.running(os.environ, complete=True) is first
    first.close()
    second = kernel_server.running(os.environ, complete=False)
    assert second.alive
    second.close()


@pytest.mark.parametrize(("name", "kind"), [(fork_server.NAME, ForkedKernel), ("none", Popen)])
def test_a_kernel_starts_also_where_no_process_can_be_copied(monkeypatch, tmp_path, name, kind):
    monkeypatch.setattr(kernel_server, "_servers", [])
    monkeypatch.setattr(kernel_server.atexit, "register", lambda _close: None)
    monkeypatch.setattr(fork_server, "NAME", name)
    path, _connection = write_connection_file(str(tmp_path / "kernel.json"))
    spec = ServerKernelSpecManager().get_kernel_spec("python3")
    command = [path if part == "{connection_file}" else part for part in spec.argv]
    provisioner = ForkProvisioner(kernel_id="0" * 8, kernel_spec=spec)
    options = {"env": {**os.environ, **spec.env}, "cwd": str(tmp_path)}
    wait_for(provisioner.launch_kernel(command, **options))
    assert isinstance(provisioner.process, kind)
    assert run(path, "import os; print(os.getpid())") == str(provisioner.pid)
    wait_for(provisioner.kill())
    wait_for(provisioner.wait())
    assert not provisioner.has_process
    for server in kernel_server._servers:
        server.close()
