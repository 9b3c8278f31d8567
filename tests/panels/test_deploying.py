"""The page Deploy: the table fills, packages are downloaded, and nothing runs by itself."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.deploy import deployment
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.sessions import processor
from workbench.deploy.timing import Benchmark, Timing
from workbench.panels import deploying
from workbench.panels.actions import ACTIONS
from workbench.session import deploying as job

RUNTIME = "torch"


def timing(runtime, batch, minimum):
    times = (minimum, 1.1 * minimum, 1.2 * minimum)
    return Timing(runtime, "float32", batch, 1, 10, *times, 5.0, 1000, 2000, 300, busy=False)


@pytest.fixture
def deployed(client, monkeypatch):
    """A client whose file ran in PyTorch, with times that were not measured here."""
    result = Benchmark((timing("torch", 1, 0.5), timing("torch", 64, 4.0)))
    monkeypatch.setattr(job, "targets", lambda _recipe: (wb.Target(RUNTIME),))
    monkeypatch.setattr("workbench.session.deploy_jobs.targets", lambda _r: (wb.Target(RUNTIME),))
    monkeypatch.setattr(deployment, "time_in_turn", lambda *_args, **_options: result)
    client.session.choose_model("vowels/cnn")
    client.act("page", key="deploy")
    client.act("tab", key="deploy_speed")
    client.act("deploy")

    def ended(state):
        failed = client.session.deploying is not None and client.session.deploying.error
        rows = state["deploying"]["rows"]
        return failed or (rows and not state["deploying"]["working"])

    client.wait("state", ended)
    assert client.session.deploying.state == "done", client.session.deploying
    return client


@pytest.mark.slow
def test_a_run_fills_the_table_and_the_pictures(deployed):
    state = deployed.last("state")["deploying"]
    (row,) = state["rows"]
    assert row["tone"] == "confirmed"
    assert "185" in row["status"]
    assert set(row["cells"]) == set(deploying.COLUMNS)
    assert row["cells"]["one"].startswith("0.50")
    texts = [m["deploying"]["headline"] for m, _ in deployed.dashboard.sent if m["kind"] == "state"]
    assert any("Exporting" in text for text in texts)
    json.dumps(state)
    figure = deployed.wait("tab", lambda m: m["key"] == "deploy_speed" and "figure" in m)["figure"]
    assert [point["x"] for point in figure["data"]] == [[0.5, 0.0625]]
    deployed.act("tab", key="deploy_roofline")
    layers = deployed.wait("tab", lambda m: m["key"] == "deploy_roofline" and "figure" in m)
    assert "conv" in str(layers["figure"]["data"])

    for name, columns in (("deploy_speed_csv", "median_ms"), ("deploy_roofline_csv", "least_mill")):
        deployed.act(name)
        message, buffers = deployed.dashboard.sent[-1]
        assert columns in buffers[0].decode().splitlines()[0]

    deployed.act("download_package", number=row["download"])
    message, buffers = next(m for m in reversed(deployed.dashboard.sent) if m[0]["kind"] == "file")
    assert message["name"] == "vowels-cnn-torch-float32.zip"
    with zipfile.ZipFile(io.BytesIO(buffers[0])) as archive:
        names = {name.rpartition("/")[2] for name in archive.namelist()}
    assert names == {"manifest.json", "model.pt2", "requirements.txt", "run.py"}

    deployed.session.set(wb.Recipe(wb.Quantize(8)))
    assert "recipe has changed" in deploying.live(deployed.session)["headline"]
    deployed.session.undo()
    deployed.session.choose_model("fashion/cnn-10k")
    assert deployed.session.deploying is None

    deployed.session.choose_model("vowels/cnn")  # as after a reload: the results are kept
    again = deployed.wait("state", lambda state: state["deploying"]["rows"])["deploying"]
    assert "measured on this machine on" in again["headline"]
    (kept,) = again["rows"]
    assert kept["cells"] == row["cells"]
    assert kept["status"] == row["status"]
    assert kept["download"] == 0


@pytest.mark.slow
def test_a_downloaded_package_runs_without_workbench(tmp_path):
    pytest.importorskip("onnxruntime")
    from workbench.deploy.archive import archive_name, package_archive

    model = wb.model("vowels/cnn")
    package = wb.export(wb.compress(model, wb.Recipe(wb.Prune(0.5))), "onnxruntime")
    blob = package_archive(package)
    assert blob == package_archive(package)
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / archive_name(package).removesuffix(".zip")
    examples = model.task.split("validation").examples[:3]
    np.save(tmp_path / "inputs.npy", model.task.inputs(examples).numpy())
    command = [sys.executable, "-P", str(folder / "run.py"), "inputs.npy", "outputs.npy"]
    subprocess.run(command, cwd=tmp_path, check=True, env={}, capture_output=True)
    assert np.load(tmp_path / "outputs.npy").shape == (3, len(model.task.classes))


def test_an_unexpected_error_ends_the_run(client, monkeypatch):
    def fail(*_arguments, **_options):
        raise RuntimeError("no memory")

    monkeypatch.setattr("workbench.training.compress.compress", fail)
    client.act("page", key="deploy")
    client.act("deploy")
    assert "RuntimeError" in client.wait("banner")["text"]
    state = client.wait("state", lambda state: not state["deploying"]["working"])
    assert "unexpected error" in state["deploying"]["headline"]


def test_nothing_runs_and_nothing_is_downloaded_before_the_button(client):
    client.act("page", key="deploy")
    assert deploying.live(client.session)["rows"] == []
    for number in (0, None, "0", -1):
        with raises("deploy.no_package"):
            ACTIONS["download_package"](client.dashboard, {"number": number})


def test_the_page_loads_no_runtime_and_says_what_is_missing(client, monkeypatch):
    missing = {
        (sentence, runtime.command)
        for runtime in RUNTIMES.values()
        if (sentence := runtime.missing())
    }
    lacking = deploying.section(client.session)["missing"]
    assert missing <= {(lack["text"], lack["command"]) for lack in lacking}
    code = (
        "import sys; import workbench; from workbench.panels import deploying\n"
        "names = ('torch', 'onnx', 'onnxscript', 'onnxruntime', 'openvino', 'executorch',\n"
        "         'ai_edge_litert', 'litert_torch', 'keras', 'tensorrt')\n"
        "print([name for name in names if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "offered"),
    [("flags : fpu avx2", False), ("flags : fpu avx512f", True), ("Features : asimd bf16", True)],
)
def test_bfloat16_is_a_row_only_if_the_processor_may_have_it(
    words, offered, client, monkeypatch, tmp_path
):
    (tmp_path / "cpuinfo").write_text(words, encoding="utf-8")
    for path, expected in ((tmp_path / "cpuinfo", offered), (tmp_path / "none", True)):
        monkeypatch.setattr(processor, "CPUINFO", path)
        assert ("bfloat16" in RUNTIMES["openvino"].precisions_here) == expected
        lacking = deploying.section(client.session)["missing"]
        left_out = any("OpenVINO in bfloat16 is left out" in lack["text"] for lack in lacking)
        assert left_out == (not expected and RUNTIMES["openvino"].missing() is None)


@pytest.mark.parametrize("bits", [4, 8])
def test_rounded_inputs_are_a_row_only_for_four_bits(bits):
    chosen = job.targets(wb.Recipe(wb.Quantize(bits)))
    available = any("int8_inputs" in r.precisions for r in RUNTIMES.values() if not r.missing())
    assert any(t.precision == "int8_inputs" for t in chosen) == (available and bits == 4)
