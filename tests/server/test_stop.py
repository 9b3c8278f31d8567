"""A server that is interrupted ends without a message, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from http.client import HTTPException
from threading import Thread
from urllib.request import urlopen

import psutil
import pytest

COMMAND = [sys.executable, "-m", "workbench", "dashboard", "--no-browser", "--port", "0"]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")


def visit(url):
    with suppress(OSError, HTTPException), urlopen(url) as page:  # it may end before that
        page.read()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.1, 1, 3])
def test_an_interrupted_server_ends_without_a_message(tmp_path, seconds, number):
    variables = {**os.environ, "TMPDIR": str(tmp_path), "WORKBENCH_STORE": str(tmp_path / "store")}
    log = tmp_path / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            COMMAND, stdout=subprocess.PIPE, stderr=output, env=variables, text=True
        ) as server,
    ):
        url = re.search(r"at (\S+)", server.stdout.readline())[1]
        visitors = [Thread(target=visit, args=(url,)) for _ in range(2)]
        for visitor in visitors:
            visitor.start()
        visitors[0].join(seconds)  # kernels start meanwhile, or have just started
        processes = psutil.Process(server.pid).children(recursive=True)
        server.send_signal(number)
        assert server.wait(20) == 0
        for visitor in visitors:
            visitor.join()
    assert log.read_text() == ""
    assert [process for process in processes if process.is_running()] == []
    assert [path for path in tmp_path.iterdir() if path.name.startswith("voila")] == []
