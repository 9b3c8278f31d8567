"""Processes that make copies are kept for a while, and replaced when they end."""

from __future__ import annotations

import os
import time
from threading import Thread

import psutil
import pytest

from tests.raises import raises
from workbench.deploy import forks
from workbench.deploy.forks import Forks
from workbench.deploy.host import Host
from workbench.fork_server import AVAILABLE, ForkServer
from workbench.forked_process import ForkedProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not AVAILABLE, reason="only Linux copies processes"),
]
MODULES = ("json",)
VARIABLES = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}


@pytest.fixture
def kept():
    own = Forks()
    yield own
    own.close()


def test_one_process_serves_several_users_with_the_same_modules(kept):
    first = kept.take(MODULES, VARIABLES, low_priority=False)
    assert kept.take(MODULES, VARIABLES, low_priority=False) is first
    assert kept.take(MODULES, VARIABLES, low_priority=True) is not first
    assert kept.take(("gc",), VARIABLES, low_priority=False) is not first
    other = {**VARIABLES, "PYTHONPATH": "/elsewhere"}
    assert kept.take(MODULES, other, low_priority=False) is not first


def test_variables_that_libraries_read_while_loading_take_effect(kept):
    first = kept.take(MODULES, VARIABLES, low_priority=False)
    slower = {**VARIABLES, "ATEN_CPU_CAPABILITY": "default"}
    assert kept.take(MODULES, slower, low_priority=False) is not first
    assert kept.take(MODULES, {**VARIABLES, "EDITOR": "vi"}, low_priority=False) is first


def test_a_process_ends_some_time_after_its_last_user(kept, monkeypatch):
    monkeypatch.setattr(forks, "IDLE_SECONDS", 0.1)
    server = kept.take(MODULES, VARIABLES, low_priority=False)
    kept.take(MODULES, VARIABLES, low_priority=False)
    kept.give_back(server)
    time.sleep(0.5)
    assert server.alive
    kept.give_back(server)
    server.process.wait(10)
    time.sleep(0.1)
    assert kept.take(MODULES, VARIABLES, low_priority=False) is not server


def test_a_process_that_has_ended_is_replaced(kept):
    server = kept.take(MODULES, VARIABLES, low_priority=False)
    server.close()
    other = kept.take(MODULES, VARIABLES, low_priority=False)
    assert other is not server
    kept.give_back(server)
    assert other.alive


def test_a_copy_that_is_ended_before_it_is_made_leaves_no_process(kept):
    pytest.importorskip("onnxruntime")  # whose destructors wait for a thread that a copy lacks
    server = kept.take(("onnxruntime",), VARIABLES, low_priority=False)
    for _ in range(3):
        copy = ForkedProcess(server, "builtins:print", 2, VARIABLES)
        copy.kill()
        copy.wait()
        copy.close()
    last = ForkedProcess(server, "builtins:print", 2, VARIABLES)
    assert last.pid  # so that the others have been made
    children = psutil.Process(server.process.pid).children()
    end = time.monotonic() + 10
    while any(child.status() != psutil.STATUS_ZOMBIE for child in children):
        assert time.monotonic() < end
        time.sleep(0.05)
    last.close()


def test_a_process_that_still_loads_modules_ends_with_its_caller(tmp_path):
    (tmp_path / "takes_long.py").write_text("import time\ntime.sleep(600)\n", encoding="utf-8")
    path = f"{tmp_path}{os.pathsep}{VARIABLES['PYTHONPATH']}"
    server = ForkServer(("takes_long",), {**VARIABLES, "PYTHONPATH": path})
    with (tmp_path / "errors").open("w", encoding="utf-8") as errors:
        server.start((errors.fileno(),) * 3)  # a message that it has not read
    server._channel.close()  # as the end of the caller does
    assert server.process.wait(10) == 1


def test_nothing_waits_for_a_copy_that_was_made_after_it_was_ended(kept, tmp_path):
    (tmp_path / "takes_a_second.py").write_text("import time\ntime.sleep(1)\n", encoding="utf-8")
    variables = {**VARIABLES, "PYTHONPATH": f"{tmp_path}{os.pathsep}{VARIABLES['PYTHONPATH']}"}
    server = kept.take(("takes_a_second",), variables, low_priority=False)
    with (tmp_path / "errors").open("w", encoding="utf-8") as errors:
        copy = ForkedProcess(server, "builtins:input", errors.fileno(), variables)
        copy.kill()
        last = ForkedProcess(server, "builtins:print", 2, variables)
        assert last.pid  # so that the first has been made, and waits for a line
        waiting = Thread(target=copy.wait, daemon=True)
        waiting.start()
        waiting.join(5)
        assert not waiting.is_alive()
        copy.stdout.close()
        copy.kill()
        copy.close()
        last.close()


def test_every_host_is_a_process_of_its_own(package):
    pytest.importorskip("onnxruntime")
    with Host("onnxruntime") as first, Host("onnxruntime") as second:
        assert first._server is second._server
        first.load(package)
        second.load(package)
        assert first._process.pid != second._process.pid
        first.end()
        with raises("deploy.runtime_ended", "ended with status -9"):
            first.load(package, threads=2)
        second.load(package, threads=2)
