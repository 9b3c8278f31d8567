"""What holds for every test: a small budget, a browser if there is one, and loud words if not."""

from __future__ import annotations

import os
import sys

import pytest

from workbench._setup import browser
from workbench.threads import set_passive_waiting

# Before anything loads PyTorch: tests share few cores with the page that they drive.
set_passive_waiting()
# Workers of pytest-xdist divide the cores among them, and so do the processes that they start.
if "PYTEST_XDIST_WORKER" in os.environ:
    cores = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores)))
# Notebooks and long loops take a small share of their work when they are only tested.
os.environ.setdefault("WORKBENCH_BUDGET", "2")
# A person's own results are neither used nor touched.
os.environ["WORKBENCH_STORE"] = ""

NO_BROWSER = "no Chromium or Chrome answered --version; name one in WORKBENCH_CHROMIUM"
PAGES = "tests/browser/"
DRIVEN = ("drives", "the page")
"""A property of a test's report: with pytest-xdist, reports come from another process."""
unseen: set[str] = set()


@pytest.fixture
def threads():
    """One thread, or as many as the test sets, for this test only."""
    import torch  # heavy, and most tests do without

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def linear(monkeypatch):
    """Bring a linear problem with a little noise, to be measured by any metric."""
    import torch  # heavy, and most tests do without

    import workbench as wb
    from workbench.zoo import registry

    monkeypatch.setattr(
        registry, "_brought", registry.UserModels()
    )  # nothing of it is there for the next test

    def brought(metric=None):
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(240, 6, generator=generator)
        noise = torch.randn(240, 1, generator=generator) / 10
        targets = inputs @ torch.randn(6, 1, generator=generator) + noise
        parts = {"train": slice(0, 90), "validation": slice(90, 170), "test": slice(170, None)}
        data = {name: (inputs[part], targets[part]) for name, part in parts.items()}
        torch.manual_seed(0)
        return wb.from_module(torch.nn.Linear(6, 1), **data, name="linear", metric=metric)

    return brought


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Run the tests of a file on one worker, and all browser tests on one: they share a server."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # where there is no xdist, nobody calls this

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return PAGES if nodeid.startswith(PAGES) else super()._split_scope(nodeid)

    return Scheduling(config, log)


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):  # the longest first, so that all workers end together
        items.sort(key=lambda item: not item.nodeid.startswith((PAGES, "notebooks/")))
    pages = [item for item in items if item.get_closest_marker("browser")]
    for item in pages:
        item.user_properties.append(DRIVEN)
    chromium = browser.find(sys.executable) if pages else None
    if chromium:
        os.environ[browser.VARIABLE] = chromium
        return
    for item in pages:
        item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


def pytest_runtest_logreport(report):
    if report.skipped and DRIVEN in map(tuple, report.user_properties):
        unseen.add(report.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if unseen and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config):
    """Speak after pytest's own summary, so that nobody takes a skipped page for a tested one."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if not unseen or terminal is None:
        return
    loud = {"red": True, "bold": True}
    terminal.write_sep("!", f"THE PAGE WAS NOT TESTED: {len(unseen)} browser tests skipped", **loud)
    terminal.write_line(f"Reason: {NO_BROWSER}.", **loud)
