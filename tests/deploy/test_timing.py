"""Times of packages in their runtimes."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.deploy.host import Calls, Host
from workbench.deploy.process import Process, ended_on_cancel
from workbench.deploy.timing import Benchmark, Timing, one_and_all_cores
from workbench.deploy.worker import Worker
from workbench.errors import Cancelled
from workbench.profiling.energy.energy import Energy

ENERGY = Energy(3.0, 2.0, 4.0, "model", ("process",))


@pytest.fixture(scope="module")
def program(artifact):
    return wb.export(artifact, "torch")


def timing(runtime, minimum, batch=1, *, busy=False):
    times = (minimum, minimum, minimum)
    return Timing(runtime, "float32", batch, 1, 10, *times, 5.0, 1000, 2000, 300, busy)


@pytest.mark.slow
def test_times_and_sizes_of_a_program(program, artifact):
    result = wb.benchmark([program], batches=[1, 16])
    expected = [(number, batch) for number in one_and_all_cores() for batch in (1, 16)]
    assert [(row.threads, row.batch) for row in result.timings] == expected
    for row in result.timings:
        assert 0 < row.minimum <= row.median <= row.p90
        assert row.package_bytes == len(program)
        assert row.artifact_bytes == len(artifact)
        assert row.calls >= 5
    assert result.timings[0].minimum < result.timings[1].minimum


@pytest.mark.slow
def test_a_program_holds_nothing_of_this_machine(program, artifact):
    assert wb.export(artifact, "torch").content == program.content
    with zipfile.ZipFile(io.BytesIO(program.content)) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist())
    for private in (str(Path.cwd()), str(Path.home())):
        assert private.encode() not in text
    assert wb.confirm(program).confirmed


def test_a_program_from_a_disk_is_not_loaded(program, tmp_path):
    program.save(tmp_path / "package")
    with raises("deploy.unsafe_program"):
        wb.load_package(tmp_path / "package")


def test_the_summary_names_the_precision_of_the_fastest():
    rounded = replace(timing("openvino", 1.0), precision="int8_inputs")
    result = Benchmark((timing("openvino", 3.0), rounded, timing("torch", 3.1327)))
    ratio = "OpenVINO, inputs rounded to 8 bits is 3.13\u202f× as fast as PyTorch with batches of "
    assert result.summary.startswith(ratio)
    busy = Benchmark((timing("openvino", 3.0), replace(rounded, busy=True)))
    assert "OpenVINO, inputs rounded to 8 bits was the fastest" in busy.summary


def test_ratios_are_of_minima_and_to_pytorch():
    result = Benchmark((timing("onnxruntime", 2.0), timing("torch", 8.0), timing("torch", 9.0, 64)))
    assert result.speedup(result.timings[0]) == 4
    assert result.speedup(timing("openvino", 3.0, 64)) == 3
    assert result.as_dict()["timings"][0]["speedup"] == 4


def test_a_busy_machine_gets_no_ratio():
    result = Benchmark((timing("onnxruntime", 2.0, busy=True), timing("torch", 8.0)))
    assert result.busy
    assert [row["speedup"] for row in result.as_dict()["timings"]] == [None, None]
    assert "busy" in result.summary


@pytest.mark.slow
@pytest.mark.parametrize(
    ("times", "share", "busy"),
    [([0.001] * 10, 1.0, False), ([0.001] * 8 + [0.01] * 2, 1.0, True), ([0.001] * 10, 0.5, True)],
)
def test_other_work_is_noticed(package, monkeypatch, times, share, busy):
    monkeypatch.setattr(Host, "time", lambda *_arguments: Calls(times, share, ENERGY))
    result = wb.benchmark([package], batches=[1, 4], threads=[1])
    assert result.busy == busy
    energies = [row.energy.joules for row in result.timings]  # 3 J for the ten calls of a round
    assert energies == pytest.approx([3.0 * 1000 / 10, 3.0 * 1000 / (10 * 4)])
    assert "300\u202fJ" in result._repr_mimebundle_()["text/html"]


def test_a_package_that_predicts_something_else_is_not_timed(package):
    other = wb.compress(wb.model("vowels/cnn"), wb.Recipe(wb.Quantize(bits=2)))
    with raises("deploy.not_confirmed"):
        wb.benchmark([replace(package, artifact=other)], batches=[1])
    with raises("deploy.no_package"):
        wb.benchmark([])


@pytest.mark.slow
def test_the_console_prints_every_runtime(artifact, tmp_path, capsys):
    from workbench.cli import main

    path = artifact.save(tmp_path / "a.safetensors")
    assert main(["benchmark", str(path), "--to", "torch", "--batch", "1"]) == 0
    printed = capsys.readouterr().out
    assert f"{len(artifact):,} bytes" in printed
    assert "torch" in printed
    assert main(["benchmark", str(path), "--to", "torch", "--batch", "many"]) == 2


@pytest.mark.slow
def test_packages_of_two_files_are_not_compared(package):
    other = wb.export(
        wb.compress(wb.model("fashion/mlp-32"), wb.Recipe(wb.Quantize(bits=2))), "onnxruntime"
    )
    with raises("deploy.other_artifact", 2):
        wb.benchmark([package, other])


def test_cancelling_ends_a_process_that_does_not_answer():
    sleeper = [sys.executable, "-c", "import time; time.sleep(120)"]
    token = CancelToken()
    with Process("Sleeper", sleeper, os.environ) as process:
        timer = threading.Timer(0.2, token.cancel)
        timer.start()
        with pytest.raises(Cancelled), ended_on_cancel([process], token):
            process.ask("load", 100)


class Slow:
    """A session that counts its calls, each of which takes a hundredth of a second."""

    def __init__(self):
        self.calls = 0

    def run(self, inputs):
        self.calls += 1
        time.sleep(0.01)
        return inputs


@pytest.mark.parametrize(("limit", "calls"), [(0.001, [2, 1]), (0.05, [4, 2])])
def test_slow_calls_are_not_repeated_to_warm_up(limit, calls, tmp_path):
    worker, session = Worker(), Slow()
    worker._session = session
    np.save(tmp_path / "inputs.npy", np.zeros((8, 2), np.float32))
    request = {"inputs": [tmp_path / "inputs.npy"], "batch": 4, "calls": 1, "limit": limit}
    for expected in calls:
        before = session.calls
        assert len(worker.time(request)["seconds"]) == 1
        assert session.calls - before == expected
