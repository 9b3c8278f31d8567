"""Starting: one sentence when it cannot, our own kernel and nobody's settings."""

from __future__ import annotations

import gzip
import socket
import sys

import pytest

from workbench.errors import WorkbenchError
from workbench.panels import drawing, uploading
from workbench.server import address, notebooks, serve
from workbench.server.kernels import ServerKernelSpecManager
from workbench.server.page_server import EXTENSIONS, settings


@pytest.mark.parametrize("start", [serve.serve, serve.lab])
def test_a_taken_port_is_one_sentence(start):
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WorkbenchError, match=f"Port {port} on localhost cannot be used"):
            start(port, open_browser=False)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_an_impossible_port_is_one_sentence(port):
    with pytest.raises(WorkbenchError, match="does not exist"):
        address.listen("localhost", port)


def test_any_free_port():
    sockets = address.listen("localhost", 0)
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
        assert sockets[0].getsockname()[1] > 0
    finally:
        for one in sockets:
            one.close()


def test_addresses():
    assert address.url("localhost", 8866, "/", None) == "http://localhost:8866/"
    assert address.url("0.0.0.0", 80, "/x/", "secret") == "http://localhost:80/x/?token=secret"
    assert [serve._slashes(path) for path in ("/", "", "x", "/x/y/")] == ["/", "/", "/x/", "/x/y/"]


def test_the_kernel_is_this_interpreter_whatever_a_notebook_asks_for():
    specs = ServerKernelSpecManager()
    assert list(specs.find_kernel_specs()) == ["python3"]
    spec = specs.get_kernel_spec("someone-elses")
    assert spec.argv[0] == sys.executable
    assert "IPYTHONDIR" in spec.env


def test_settings_hide_code_and_serve_no_files():
    config = settings(preheat=2)
    assert config.VoilaConfiguration.strip_sources
    assert not config.VoilaConfiguration.show_tracebacks
    assert config.VoilaConfiguration.file_allowlist == []
    assert config.VoilaConfiguration.default_pool_size == 2
    assert len(EXTENSIONS) == 3
    assert not settings(preheat=0).VoilaConfiguration.preheat_kernel


def test_the_drawing_library_is_the_packages_own():
    assert gzip.decompress(drawing.compressed_script()) == drawing.script()
    assert len(drawing.compressed_script()) < 2_000_000


def test_the_notebook_is_found():
    assert notebooks.dashboard().name == "dashboard.ipynb"


@pytest.mark.parametrize(
    ("host", "local"), [("localhost", True), ("127.0.0.1", True), ("0.0.0.0", False), ("", False)]
)
def test_uploads_are_on_where_only_this_machine_can_visit(host, local):
    sockets = address.listen(host, 0)
    try:
        assert address.is_local(sockets) == local
    finally:
        for one in sockets:
            one.close()


@pytest.mark.parametrize(("uploads", "said"), [(True, "on"), (False, "off")])
def test_the_kernel_is_told_whether_uploads_are_on(uploads, said):
    made = ServerKernelSpecManager(config=settings(preheat=0, uploads=uploads))
    assert made.get_kernel_spec("any").env[uploading.VARIABLE] == said
