"""Settings of all tests: a small budget, and a browser, with a loud warning if there is none."""

from __future__ import annotations

import gc
import os
import random
import sys

import pytest

from workbench import i18n
from workbench._setup import browser
from workbench.deploy import priority
from workbench.threads import set_passive_waiting

# Before PyTorch is loaded: tests share a few cores with the page that they drive.
set_passive_waiting()
# Workers of pytest-xdist, and the processes that they start, share the cores.
if "PYTEST_XDIST_WORKER" in os.environ:
    cores = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores)))
# Notebooks and long loops do a small part of their work in tests.
os.environ.setdefault("WORKBENCH_BUDGET", "2")
# Beside the tests of other workers, processes of low priority would wait for minutes.
priority.NICE = 0
# Tests neither read nor change the user's cache.
os.environ["WORKBENCH_STORE"] = ""

NO_BROWSER = "no Chromium or Chrome answered --version; name one in WORKBENCH_CHROMIUM"
NO_NODE = "Node 20 or newer with npm is needed; then `make check` installs the tools"
PAGES = "tests/browser/"
PARALLEL = "tests/parallel/"
NOTEBOOKS = "notebooks/"
LOUD = {
    "browser": ("THE PAGE WAS NOT TESTED: {count} browser tests skipped", NO_BROWSER),
    "javascript": ("THE JAVASCRIPT WAS NOT CHECKED: {count} tests skipped", NO_NODE),
}
"""Markers of tests that are not skipped silently, with a headline and a reason.

A test's report has its marker as a property, because pytest-xdist sends reports from another
process.
"""
skipped: dict[str, set[str]] = {marker: set() for marker in LOUD}
MANY_MODULES = 200
"""Newly imported modules after which the objects of modules are frozen again."""
modules_frozen = 0


@pytest.fixture
def threads():
    """Use one thread, or as many as the test sets, during the test."""
    import torch  # slow to import, and most tests do not need it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def first_language(monkeypatch):
    """Begin in English, as long as no language is chosen; the next test does, too."""
    for name in ("_catalog", "_language", "_is_chosen"):
        monkeypatch.setattr(i18n, name, getattr(i18n, name))


@pytest.fixture
def linear(monkeypatch):
    """Return a function that registers a noisy linear problem with any metric."""
    import torch  # slow to import, and most tests do not need it

    import workbench as wb
    from workbench.zoo import registry

    monkeypatch.setattr(registry, "_user_models", registry.UserModels())  # removed after the test

    def make(metric=None):
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(240, 6, generator=generator)
        noise = torch.randn(240, 1, generator=generator) / 10
        targets = inputs @ torch.randn(6, 1, generator=generator) + noise
        parts = {"train": slice(0, 90), "validation": slice(90, 170), "test": slice(170, None)}
        data = {name: (inputs[part], targets[part]) for name, part in parts.items()}
        torch.manual_seed(0)
        return wb.from_module(torch.nn.Linear(6, 1), **data, name="linear", metric=metric)

    return make


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Use one worker more than there are cores: tests wait for browsers, kernels and ranks.

    With two more, they take longer, because workers compete for the processor.
    """
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Collect tests without garbage collections: thousands of tests are created, none deleted."""
    gc.disable()
    try:
        return (yield)
    finally:
        _freeze()
        gc.enable()


def pytest_runtest_setup():
    _seed()
    if len(sys.modules) > modules_frozen + MANY_MODULES:
        gc.collect()
        _freeze()


def _seed():
    """Give each test the same random numbers, whichever tests ran before it in this process."""
    random.seed(0)
    if "torch" in sys.modules:  # slow to import; its first state is the same in each process
        sys.modules["torch"].manual_seed(0)


def _freeze():
    """Exclude what exists from garbage collections: a full one takes 0.5 s with all tests."""
    global modules_frozen
    gc.freeze()
    modules_frozen = len(sys.modules)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Run the tests of a file on one worker, and those of some folders.

    All browser tests share one server. Parallel runs wait for each other, and share processes.
    """
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # xdist may not be installed

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            shared = [folder for folder in (PAGES, PARALLEL) if nodeid.startswith(folder)]
            return shared[0] if shared else super()._split_scope(nodeid)

    return Scheduling(config, log)


def _rank(item):
    if item.nodeid.startswith((PAGES, NOTEBOOKS)):
        return 0
    return 1 if item.get_closest_marker("slow") else 2


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):  # longest first, to balance the workers
        items.sort(key=_rank)
    if any(item.nodeid.startswith(NOTEBOOKS) for item in items):
        from tests import notebook_kernels  # not at the top: a test copies this file elsewhere

        notebook_kernels.start_as_copies()
    for item in items:
        item.user_properties += [("loud", x) for x in LOUD if item.get_closest_marker(x)]
    pages = [item for item in items if item.get_closest_marker("browser")]
    chromium = browser.find(sys.executable) if pages else None
    if chromium:
        os.environ[browser.VARIABLE] = chromium
        return
    for item in pages:
        item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


def pytest_runtest_logreport(report):
    for name, marker in report.user_properties:
        if report.skipped and name == "loud":
            skipped[marker].add(report.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if skipped["browser"] and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config):
    """Print a warning after pytest's summary for each loud marker with skipped tests."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    style = {"red": True, "bold": True}
    for marker, (headline, reason) in LOUD.items():
        if skipped[marker] and terminal is not None:
            terminal.write_sep("!", headline.format(count=len(skipped[marker])), **style)
            terminal.write_line(f"Reason: {reason}.", **style)
