"""The real page in a real browser: one server for all tests, a kernel of its own for each visit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest

from workbench._setup import browser

START = "from workbench.server.serve import {verb}; {verb}(0, open_browser=False, {more})"
PATIENCE = 90_000  # ms: the slowest machine that shall still pass
# JupyterLab 4.6 extensions on Voila's 4.2 core say so, and harmlessly.
HARMLESS = re.compile(r"shared (singleton )?module")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync"]
    flags += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"]  # there is no internet
    found = os.environ.get(browser.VARIABLE)
    return {**browser_type_launch_args, "args": flags, "executable_path": found}


class Server:
    """A server under test: its address, its log, and the kernels that run for it."""

    def __init__(self, folder, verb, more):
        folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        private = {name: str(folder / name.lower()) for name in (*folders, "WORKBENCH_STORE")}
        self.log = folder / f"{verb}.log"
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START.format(verb=verb, more=more)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **private, "PYTHONUNBUFFERED": "1"},
            )
        self.url = self.until(self._address, "the address")

    def _address(self):
        found = re.search(r"Workbench is at (\S+)", self.log.read_text("utf-8"))
        return found and found[1]

    def kernels(self):
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "ipykernel_launcher" in " ".join(command(child))]

    def until(self, answer, what):
        """Return what `answer()` gives as soon as that is something."""
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            found = answer()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"waited in vain for {what}:\n{self.log.read_text('utf-8')}")

    def stop(self):
        for child in psutil.Process(self.process.pid).children(recursive=True):
            child.kill()
        self.process.kill()
        self.process.wait()


def command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("voila"), "serve", "preheat=1")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("lab"), "lab", "token='secret'")
    yield made
    made.stop()


@contextmanager
def watching(page):
    """Let nothing go wrong on the page until it is closed, and nothing leave the machine."""
    page.set_default_timeout(PATIENCE)
    trouble = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: note(trouble, said))
    page.on("request", lambda request: note_stranger(trouble, request.url))
    yield page
    page.close(run_before_unload=True)
    assert not trouble


@pytest.fixture
def watched(page):
    """A page of the test's own."""
    with watching(page):
        yield page


@pytest.fixture(scope="module")
def visited(browser, browser_context_args):
    """One page for the tests of a file that can begin where another has ended."""
    context = browser.new_context(**browser_context_args)
    with watching(context.new_page()) as page:
        yield page
    context.close()


def note(problem, said):
    if said.type == "error" and not HARMLESS.search(said.text):
        problem.append(said.text)


def note_stranger(problem, url):
    if (
        urlsplit(url).scheme not in {"blob", "data", "about"}
        and urlsplit(url).hostname != "localhost"
    ):
        problem.append(f"asked for {url}")


class Bench:
    """The page as a person has it before them."""

    def __init__(self, page, url):
        self.page = page
        page.goto(url)
        page.locator(".wb[data-ready] .stage .plot[data-seq]").wait_for()

    def number(self, name):
        return self.page.locator(f'[data-number="{name}"]')

    def settle(self):
        """Wait until numbers and picture answer what was asked last, exactly."""
        self.page.wait_for_function(
            """() => {
              const sent = document.querySelector(".wb").dataset.sent || "0";
              const card = document.querySelector(".card").dataset;
              const plot = document.querySelector(".stage .plot").dataset;
              return card.busy === "false" && card.exact === "true"
                && card.seq === sent && plot.seq === sent;
            }"""
        )

    def trace(self, name):
        """Return the plotly trace called `name`, as drawn."""
        return self.page.evaluate(
            """(name) => {
              const plot = document.querySelector(".stage .plot");
              return plot.data.find((trace) => trace.name === name);
            }""",
            name,
        )

    @property
    def sparsity(self):
        return self.page.get_by_role("slider", name="sparsity")

    @property
    def readout(self):
        """The number beside that slider."""
        return self.page.get_by_role("group", name="Pruning").locator(".readout")

    def bits(self, value):
        group = self.page.get_by_role("radiogroup", name="bits", exact=True)
        group.locator("label", has_text=re.compile(f"^{value}$")).click()


@pytest.fixture
def open_bench(watched, server):
    return lambda path="": Bench(watched, server.url + path)


@pytest.fixture(scope="module")
def visit(visited, server):
    return lambda path="": Bench(visited, server.url + path)
