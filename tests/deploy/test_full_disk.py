"""A folder of temporary files without room is an error that names it, wherever it is noticed."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from tests.raises import raises
from workbench.deploy.arrays import save_arrays
from workbench.deploy.host import Host
from workbench.deploy.worker import Worker
from workbench.fork_server import AVAILABLE

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(not AVAILABLE, reason="another process may not start")


class Doubles:
    """Returns what it is given."""

    def run(self, inputs):
        return inputs[0]


@pytest.fixture
def limited():
    """Return a function that limits how many bytes a file of this process may have."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_there_is_no_folder_of_temporary_files(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with raises("file.cannot_write", "temporary files", "TMPDIR"):
        Host("torch")


@pytest.mark.slow
def test_a_network_does_not_fit(package, limited):
    pytest.importorskip("onnxruntime")
    with Host("onnxruntime") as host:
        limited(1000)
        with raises("file.cannot_write", host.path, "TMPDIR"):
            host.load(package)


@pytest.mark.slow
def test_inputs_do_not_fit(limited):
    with Host("torch") as host:
        limited(1000)
        with raises("file.cannot_write", host.path, "TMPDIR"):
            host.run([np.zeros((100, 100))], 1)


def test_outputs_do_not_fit(limited, tmp_path, monkeypatch):
    worker = Worker()
    worker._session = Doubles()
    inputs = [str(path) for path in save_arrays([np.zeros((100, 100))], tmp_path)]
    request = {"inputs": inputs, "batch": 50, "outputs": str(tmp_path / "outputs.npy")}
    assert worker.run(request) == {}
    limited(1000)
    answer = worker.run(request)
    assert "outputs.npy" in answer["no_room"]
    monkeypatch.setattr(Host, "ask", lambda *_arguments, **_request: answer)
    with raises("deploy.no_room", "outputs.npy", "TMPDIR"):
        object.__new__(Host)._answer("run", 1)
