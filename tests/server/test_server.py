"""Starting a server: errors are one sentence, and it uses its own kernel and settings."""

from __future__ import annotations

import gzip
import importlib
import logging
import socket
import subprocess
import sys
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

import workbench as wb
from tests.raises import raises
from workbench.fork_server import AVAILABLE
from workbench.panels import plotly_script
from workbench.panels.uploads import texts
from workbench.server import notebooks, serve
from workbench.server.kernels import ServerKernelSpecManager


@pytest.fixture(scope="module")
def pages():
    """The module of the page's server: loaded here, as not every worker needs Voila."""
    return importlib.import_module("workbench.server.page_server")


@pytest.mark.parametrize("start", [serve.serve, serve.lab])
def test_a_port_in_use_is_reported(start):
    with socket.create_server(("localhost", 0)) as other:
        port = other.getsockname()[1]
        with raises("server.port_unavailable", port, "localhost"):
            start(port, open_browser=False)


def test_base_urls_are_normalized():
    paths = [serve._normalize_base_url(path) for path in ("/", "", "x", "/x/y/")]
    assert paths == ["/", "/", "/x/", "/x/y/"]


def test_the_kernel_is_this_interpreter_whatever_a_notebook_requests():
    specs = ServerKernelSpecManager()
    assert list(specs.find_kernel_specs()) == ["python3"]
    spec = specs.get_kernel_spec("another-kernel")
    assert spec.argv[0] == sys.executable
    assert "IPYTHONDIR" in spec.env


def test_settings_hide_code_and_serve_no_files(pages):
    config = pages.settings(preheat=2)
    assert config.VoilaConfiguration.strip_sources
    assert not config.VoilaConfiguration.show_tracebacks
    assert config.VoilaConfiguration.file_allowlist == []
    assert config.VoilaConfiguration.default_pool_size == 2
    assert len(pages.EXTENSIONS) == 3
    assert not pages.settings(preheat=0).VoilaConfiguration.preheat_kernel


def test_a_visitor_gets_a_preheated_kernel_that_has_started_or_is_ahead_of_a_new_one(
    monkeypatch, pages
):
    kernel, first = Future(), Future()
    page_handler = pages.PageHandler
    manager = SimpleNamespace(_pools={"page.ipynb": [kernel]})
    monkeypatch.setattr(page_handler, "kernel_manager", manager)
    monkeypatch.setattr(page_handler, "settings", {pages.FIRST_KERNELS: {first}})
    handler = page_handler.__new__(page_handler)
    handler.notebook_path = "page.ipynb"

    def uses_it(size=1, *, is_known=True):
        data = {"template": "lab", "theme": "light"} if is_known else {}
        return handler.should_use_rendered_notebook(data, size, None, "dark", {})

    assert not uses_it()
    kernel.set_result({})
    assert uses_it()
    manager._pools["page.ipynb"] = [first]  # it starts with the server
    assert uses_it(is_known=False)
    monkeypatch.setattr(page_handler, "kernel_manager", SimpleNamespace())  # as with --preheat 0
    assert not uses_it(size=0)


def test_plotly_js_is_that_of_the_installed_package():
    assert gzip.decompress(plotly_script.compressed_script()) == plotly_script.script()
    assert len(plotly_script.compressed_script()) < 2_000_000


def test_the_notebook_is_found():
    assert notebooks.dashboard().name == "dashboard.ipynb"


@pytest.mark.usefixtures("first_language")
def test_jupyterlab_opens_the_notebook_of_the_language(monkeypatch, tmp_path):
    assert notebooks.first_notebook() == "dashboard.ipynb"
    wb.use_language("zh")
    assert notebooks.first_notebook() == "zh/dashboard.ipynb"
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path)
    assert notebooks.first_notebook() == "dashboard.ipynb"


@pytest.mark.parametrize(("uploads", "value"), [(True, "on"), (False, "off")])
def test_the_kernel_environment_enables_or_disables_uploads(pages, uploads, value):
    specs = ServerKernelSpecManager(config=pages.settings(preheat=0, uploads=uploads))
    assert specs.get_kernel_spec("any").env[texts.VARIABLE] == value


LOADED = """
import sys
from workbench.server import kernel_server, serve

def end(*_arguments, **_options):
    sys.exit(any(name in sys.modules for name in ("voila", "jupyter_client")))

kernel_server.running = end
serve.serve(0, open_browser=False)
"""


@pytest.mark.skipif(not AVAILABLE, reason="only Linux copies processes")
def test_the_process_that_makes_kernels_starts_before_slow_imports():
    assert subprocess.run([sys.executable, "-c", LOADED], check=False).returncode == 0


def test_jupyterlab_neither_looks_for_a_build_nor_prints_the_source_of_yarn(monkeypatch):
    from jupyterlab.commands import get_static_page_config

    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(serve.SETTINGS))
    config = get_static_page_config(level="all")
    assert (config["buildCheck"], config["buildAvailable"]) == (False, False)
    failures = ["Fail to get yarn configuration. (()=>{", "The port is in use"]
    records = [logging.makeLogRecord({"msg": text}) for text in failures]
    assert [serve._is_not_about_yarn(record) for record in records] == [False, True]
