"""The memory of a loaded network, also in a process that had loaded it before."""

from __future__ import annotations

import platform

import pytest

import workbench as wb
from workbench.deploy.worker import Worker


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others keep freed memory")
def test_a_network_that_is_loaded_again_takes_as_much_memory(tmp_path):
    model = wb.model("fashion/lenet5")
    wb.export(wb.compress(model, wb.Recipe(wb.Quantize(4))), "torch").save(tmp_path / "package")
    request = {"runtime": "torch", "path": str(tmp_path / "package" / "model.pt2"), "threads": 1}
    worker = Worker()
    loaded = [worker.load(request)["bytes"] for _ in range(3)]
    assert min(loaded) > model.original_bytes / 2
