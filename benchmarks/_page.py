"""The server and a headless Chromium, for benchmarks of the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

from workbench._setup import browser
from workbench.server.forked_kernel import PROCESS_NAME
from workbench.server.kernels import KERNEL

READY = ".wb[data-ready] .stage .plot[data-seq]"

START = (
    "from pathlib import Path; from workbench.server.serve import serve;"
    "serve(0, open_browser=False, preheat={preheat}, notebook={notebook})"
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
TIMEOUT = 90_000  # ms


@contextmanager
def served(store: Path, *, preheat: int, notebook: Path | None = None) -> Iterator[tuple[str, int]]:
    """Yield the address and the process id of a server with its result cache in `store`."""
    path = f"Path({str(notebook)!r})" if notebook else None
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(preheat=preheat, notebook=path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "WORKBENCH_STORE": str(store), "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        match = next(filter(None, (re.search(r"at (http\S+)", line) for line in process.stdout)))
        yield match[1], process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a headless Chromium."""
    with sync_playwright() as playwright:
        path = browser.find(sys.executable)
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


def kernels_of(server: int) -> list[psutil.Process]:
    """Return the server's kernel processes."""
    children = psutil.Process(server).children(recursive=True)
    return [
        child
        for child in children
        if child.name().startswith(f"{PROCESS_NAME} ") or child.cmdline()[2:3] == [KERNEL]
    ]
