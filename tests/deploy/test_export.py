"""The exported network as a file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import workbench as wb
from tests.raises import raises
from workbench.deploy.host import Host
from workbench.deploy.onnx_file import onnx_bytes
from workbench.runtime.batch import Batch

onnx = pytest.importorskip("onnx")


@pytest.mark.slow
def test_the_file_is_valid_and_holds_nothing_of_this_machine(package):
    model = onnx.load_from_string(package.content)
    onnx.checker.check_model(model, full_check=True)
    text = package.content.decode("latin-1") + json.dumps(package.manifest)
    for private in (str(Path.cwd()), str(Path.home()), sys.prefix, ".py"):
        assert private not in text
    assert [value.name for value in model.graph.input] == ["input"]
    assert [value.name for value in model.graph.output] == ["output"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_lstm_with_a_projection_is_refused():
    module = torch.nn.LSTM(3, 6, proj_size=2, batch_first=True)
    with raises("deploy.projected_lstm", "proj_size"):
        onnx_bytes(module, Batch.of(torch.zeros(17, 5, 3)))


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(package, artifact, tmp_path):
    path = artifact.save(tmp_path / "a.safetensors")
    code = "import sys, workbench as wb; wb.export(sys.argv[1]).save(sys.argv[2])"
    output = tmp_path / "b.onnx"
    subprocess.run([sys.executable, "-c", code, str(path), str(output)], check=True)
    assert output.read_bytes() == package.content
    manifest = json.loads(Path(f"{output}.json").read_text("utf-8"))
    assert manifest == package.manifest
    assert manifest["file"]["sha256"] == hashlib.sha256(package.content).hexdigest()
    assert manifest["artifact"] == {"sha256": artifact.digest, "bytes": len(artifact)}
    assert len(manifest["notes"]) == 1  # zeros


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 100])
def test_every_size_of_a_batch_gives_the_outputs_of_pytorch(package, artifact, count):
    task = wb.model("vowels/cnn").task
    inputs = task.inputs(task.split("test").examples[:count])
    with Host(package.target.runtime) as host:
        host.load(package)
        outputs = host.run([inputs.numpy()], count)
    with torch.no_grad():
        expected = wb.to_module(artifact)(inputs).numpy()
    assert outputs.shape == expected.shape
    assert np.abs(outputs - expected).max() < 1e-5


@pytest.mark.slow
def test_the_script_of_a_folder_runs_without_this_package(runtime, artifact, tmp_path):
    package = wb.export(artifact, runtime)
    network = package.save(tmp_path / "package")
    assert network.read_bytes() == package.content
    assert f"{runtime}==" in (network.parent / "requirements.txt").read_text("utf-8")
    task = wb.model("vowels/cnn").task
    inputs = task.inputs(task.split("test").examples[:9])
    np.save(tmp_path / "inputs.npy", inputs.numpy())
    script = [sys.executable, "-I", str(network.parent / "run.py")]
    process = subprocess.run(
        [*script, str(tmp_path / "inputs.npy"), str(tmp_path / "outputs.npy")],
        capture_output=True,
        check=True,
        text=True,
    )
    with torch.no_grad():
        expected = wb.to_module(artifact)(inputs).numpy()
    assert np.abs(np.load(tmp_path / "outputs.npy") - expected).max() < 1e-5
    assert process.stdout.split("\n")[:9] == [task.classes[row.argmax()] for row in expected]


class ByLength(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)

    def forward(self, inputs):
        outputs = self.layer(inputs)
        for row in range(len(inputs)):  # a loop over the examples is unrolled
            outputs = outputs + 0 * outputs[row]
        return outputs


@pytest.mark.slow
def test_a_network_of_one_size_of_a_batch_is_refused():
    data = {name: (torch.randn(40, 4), torch.arange(40) % 2) for name in ("validation", "test")}
    model = wb.from_module(ByLength(), train=data["test"], **data, name="by-length")
    with raises("deploy.fixed_batch"):
        wb.export(wb.compress(model, wb.Recipe()))


@pytest.mark.slow
def test_a_package_and_its_agreement_print_in_one_line(artifact):
    package = wb.export(artifact, "onnxruntime")
    assert len(repr(package)) < 80
    agreement = wb.confirm(package)
    assert repr(agreement) == f"<Agreement: {agreement.summary}>"
