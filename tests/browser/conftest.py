"""The page in a browser: one server for all tests, with a separate kernel for each visit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Error, expect

from tests.browser.lab import Lab
from workbench._setup import browser
from workbench.server import notebooks
from workbench.server.forked_kernel import PROCESS_NAME
from workbench.server.kernels import KERNEL

START = "from workbench.server.serve import {verb}; {verb}(0, open_browser=False, {more})"
START_IN_FOLDER = (
    "from pathlib import Path; from workbench.server import notebooks; "
    "notebooks.folder = lambda: Path({folder!r}); " + START
)
TIMEOUT = 90_000  # ms, for slow machines
expect.set_options(timeout=30_000)
# A harmless warning of JupyterLab 4.6 extensions on Voila's 4.2 core.
HARMLESS = re.compile(r"shared (singleton )?module")
DEFAULT = "?m=fashion/lenet5"
SIZE = {"width": 1280, "height": 720}
REOPEN = Path(__file__).with_name("reopen.js").read_text("utf-8")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync"]
    flags += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"]  # there is no internet
    path = os.environ.get(browser.VARIABLE)
    return {**browser_type_launch_args, "args": flags, "executable_path": path}


class Server:
    """A server under test: its address, its log and its kernels."""

    def __init__(self, folder, verb, more, start=START):
        folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        private = {name: str(folder / name.lower()) for name in (*folders, "WORKBENCH_STORE")}
        self.log = folder / f"{verb}.log"
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", start.format(verb=verb, more=more, folder=str(folder))],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **private, "PYTHONUNBUFFERED": "1"},
            )
        self.url = self.until(self._address, "the address")

    def _address(self):
        match = re.search(r"Workbench is at (\S+)", self.log.read_text("utf-8"))
        return match and match[1]

    def kernels(self):
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if kernel_name(child)]

    def until(self, condition, name):
        """Return the result of `condition()` as soon as it is true."""
        end = time.monotonic() + TIMEOUT / 1000
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            result = condition()
            if result:
                return result
            time.sleep(0.05)
        raise AssertionError(f"timeout while waiting for {name}:\n{self.log.read_text('utf-8')}")

    def stop(self):
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):  # it may end by itself meanwhile
                child.kill()
        self.process.kill()
        self.process.wait()


def command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def kernel_name(process):
    """Return what a kernel is called, with the start of its id; an empty text if it is none."""
    with suppress(psutil.Error):
        if process.name().startswith(f"{PROCESS_NAME} "):  # a copy of another process
            return process.name()
    return " ".join(command(process)) if command(process)[2:3] == [KERNEL] else ""


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("voila"), "serve", "preheat=2")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab in a folder with copies of the shipped notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    for path in notebooks.folder().glob("*.ipynb"):
        shutil.copy(path, folder)
    settings = folder / "jupyter_config_dir" / "jupyter_lab_config.json"
    settings.parent.mkdir()
    settings.write_text('{"LabApp": {"expose_app_in_browser": true}}', encoding="utf-8")
    server = Server(folder, "lab", "token='secret'", START_IN_FOLDER)
    yield Lab(server, folder)
    server.stop()


@pytest.fixture(scope="session")
def context(browser_type, browser_type_launch_args, browser_context_args, tmp_path_factory):
    """One profile for all tests: it has the scripts in its cache, and their compiled code.

    A profile without a folder, which playwright uses by default, compiles them for each page.
    """
    context = browser_type.launch_persistent_context(
        tmp_path_factory.mktemp("profile"), **browser_type_launch_args, **browser_context_args
    )
    yield context
    context.close()


@pytest.fixture
def new_page(context):
    """A new page for one test."""
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture
def page(context, request):
    """A new page for one test, or that of all tests in JupyterLab until one of them fails.

    Loading JupyterLab takes ten times longer than opening another notebook in it.
    """
    if "lab" not in request.fixturenames:
        yield request.getfixturevalue("new_page")
        return
    lab, failed = request.getfixturevalue("lab"), request.session.testsfailed
    page = lab.page(context)
    page.bring_to_front()
    page.set_viewport_size(SIZE)
    yield page
    if request.session.testsfailed > failed:
        page.close()


class Problems(list):
    """The errors of a page, and its requests to another host than `host`."""

    def __init__(self, page, host="localhost"):
        self.host = host
        page.set_default_timeout(TIMEOUT)
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("console", self.check_console)
        page.on("request", lambda request: self.check_host(request.url))

    def check_console(self, message):
        if message.type == "error" and not HARMLESS.search(message.text):
            self.append(message.text)

    def check_host(self, url):
        parts = urlsplit(url)
        if parts.scheme not in {"blob", "data", "about"} and parts.hostname != self.host:
            self.append(f"request to {url}")


@contextmanager
def watching(page, host="localhost", expected=()):
    """Check that the page has no errors but `expected`, and sends requests only to `host`."""
    problems = Problems(page, host)
    yield page
    close(page)
    assert not [text for text in problems if text not in expected]


def close(page):
    """Close a page as users do: its kernel ends."""
    page.close(run_before_unload=True)
    with suppress(Error):  # it is closed already, or asks whether to leave
        page.wait_for_event("close", timeout=1000)
    page.close()


@pytest.fixture
def watched(page, request):
    """A new page of the app for one test."""
    expected = request.node.get_closest_marker("page_error")
    with watching(page, expected=expected.args if expected else ()):
        yield page


@pytest.fixture(scope="module")
def visited(context):
    """One page for all tests of a file that can continue on the page of another test."""
    with watching(context.new_page()) as page:
        yield page


@pytest.fixture(autouse=True)
def visited_in_front(request):
    """Bring the shared page of a file to the front: Chromium gives others a lower priority."""
    if "visited" in request.fixturenames:
        request.getfixturevalue("visited").bring_to_front()


def drag(page, slider, start, end, *, steps=40, pause=0, release=True):
    """Drag the thumb of a slider between two fractions of its track; `pause` in ms."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    places = [start + (end - start) * step / steps for step in range(steps + 1)]
    across = [box["x"] + 12 + (box["width"] - 24) * place for place in places]
    page.mouse.move(across[0], middle)
    page.mouse.down()
    for x in across:
        page.mouse.move(x, middle)
        page.wait_for_timeout(pause)
    if release:
        page.mouse.up()


class Bench:
    """The page as users see it."""

    def __init__(self, page, url=None):
        self.page = page
        if url:
            page.goto(url)
        page.locator(".wb[data-ready] .stage .plot[data-seq]").wait_for()

    def number(self, name):
        return self.page.locator(f'[data-number="{name}"]')

    def settle(self):
        """Wait until the exact results and the chart belong to the newest values."""
        self.page.wait_for_function(
            """() => {
              const sent = document.querySelector(".wb").dataset.sent;
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
    def point(self):
        """The current point: its size in bytes, its height on the axis, and its CSS classes."""
        return self.page.evaluate(
            """() => {
              const { dataset, classList } = document.querySelector(".stage .live .you");
              const bytes = Math.round(10 ** Number(dataset.x));
              return { bytes, height: Number(dataset.y), classes: [...classList] };
            }"""
        )

    def drag(self, *places, **more):
        drag(self.page, *places, **more)

    @property
    def sparsity(self):
        return self.slider("pruning: sparsity")

    @property
    def readout(self):
        """The value shown next to that slider."""
        return self.page.get_by_role("group", name="Pruning").locator(".readout")

    def slider(self, name):
        """Return a slider by its part and label."""
        return self.page.get_by_role("slider", name=name)

    def choose(self, name, label):
        """Move a slider to the stop with this label."""
        slider = self.slider(name)
        stops = slider.locator("..").locator(".stops span").all_inner_texts()
        slider.fill(str(stops.index(str(label))))

    def bits(self, value):
        self.choose("quantization: bits", value)


class Shared:
    """A page and a kernel for all tests that need the app newly displayed, but not newly loaded."""

    def __init__(self, context, url):
        self.url = url
        self.page = context.new_page()
        self.problems = Problems(self.page)

    def show(self, address):
        """Show the app at an address with a model; what it displayed before is gone."""
        if self.page.url == "about:blank":
            self.page.goto(self.url + address)
        else:
            self.page.evaluate(REOPEN, address)
        return self.page

    def check(self):
        """Check that the page had no errors since the last check."""
        problems, self.problems[:] = [*self.problems], []
        assert not problems


class SharedPages:
    """The shared page, until a test fails: the next one gets another page."""

    def __init__(self, context, url):
        self.make = lambda: Shared(context, url)
        self.shared = None

    def get(self):
        self.shared = self.shared or self.make()
        return self.shared

    def drop(self):
        if self.shared is not None:
            close(self.shared.page)
            self.shared = None


@pytest.fixture(scope="session")
def shared_pages(context, server):
    pages = SharedPages(context, server.url)
    yield pages
    pages.drop()


@pytest.fixture
def shared(shared_pages, request):
    failed = request.session.testsfailed
    shared = shared_pages.get()
    shared.page.bring_to_front()  # Chromium gives other pages a lower priority
    shared.page.set_viewport_size(SIZE)
    yield shared
    if request.session.testsfailed > failed:
        shared_pages.drop()
    shared.check()


@pytest.fixture
def shown(shared):
    """The page on which `show` and `show_page` display the app."""
    return shared.page


@pytest.fixture
def show_page(shared):
    """Show the app at an address, without waiting for a part of it."""
    return shared.show


@pytest.fixture
def show(shared):
    """Show the page Compress at an address."""
    return lambda address=DEFAULT: Bench(shared.show(address))


@pytest.fixture
def open_bench(watched, server):
    """Load a new page, with a kernel of its own."""
    return lambda address="": Bench(watched, server.url + address)


@pytest.fixture(scope="module")
def visit(visited, server):
    return lambda address="": Bench(visited, server.url + address)
