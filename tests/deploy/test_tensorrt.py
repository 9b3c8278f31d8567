"""TensorRT is offered only where a tiny network really runs on it; here with fake providers."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.deploy import canary, host, interpreter, runtimes
from workbench.deploy.run_script import requirements
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.tensorrt_rules import check_rules

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
helper, numpy_helper = onnx.helper, onnx.numpy_helper

PROVIDER = "TensorrtExecutionProvider"
WORKER = """
import json, sys, time
import numpy as np
def main():
    for line in sys.stdin:
        request = json.loads(line)
        answer = {{}}
        if request["command"] == "load":
            {load}
            facts = {{"provider": "{provider}", "version": "1"}}
            answer = {{"facts": facts, "seconds": 0, "bytes": 0}}
        else:
            inputs = np.load(request["inputs"][0])
            weight = np.linspace(-1, 1, 32, dtype=np.float32).reshape(4, 8)
            outputs = np.maximum(inputs @ weight.T + np.arange(4), 0) * {factor}
            np.save(request["outputs"], outputs.astype("float32"))
        print(json.dumps(answer), flush=True)
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """Return a function that replaces the worker by one with a fake provider."""

    def write(provider=PROVIDER, load="pass", factor=1):
        source = WORKER.format(provider=provider, load=load, factor=factor)
        (tmp_path / "fake_worker.py").write_text(source, encoding="utf-8")

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(host, "WORKER", "fake_worker")
    monkeypatch.setattr(interpreter, "find_spec", lambda package: True)
    monkeypatch.setattr(canary, "SECONDS", 5.0)
    canary._reason.cache_clear()
    yield write
    canary._reason.cache_clear()


@pytest.mark.slow
def test_a_provider_that_runs_is_offered(fake):
    fake()
    canary.check_runs_here(wb.Target("tensorrt"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "fact"),
    [
        ({"provider": "CPUExecutionProvider"}, "CPUExecutionProvider"),
        ({"provider": "CUDAExecutionProvider"}, "CUDAExecutionProvider"),
        ({"factor": 1.001}, ""),
        ({"load": "sys.exit('no GPU')"}, "no GPU"),
        ({"load": "time.sleep(60)"}, "0.5"),
        ({"load": "print(json.dumps({'error': 'no engine'}), flush=True); continue"}, "no engine"),
    ],
    ids=["CPU", "CUDA", "wrong", "missing", "slow", "refused"],
)
def test_a_provider_that_is_wrong_slow_missing_or_another_is_not_offered(
    fake, monkeypatch, artifact, settings, fact
):
    monkeypatch.setattr(canary, "SECONDS", 0.5 if "sleep" in str(settings) else 20.0)
    fake(**settings)
    with raises("deploy.not_here", RUNTIMES["tensorrt"].title, fact):
        wb.export(artifact, "tensorrt")


def quantized(zero_point, axis=0, opset=20, operator="Conv"):
    codes = np.ones((4, 2, 3, 3), np.int8)
    names = {
        "codes": codes,
        "scales": np.ones(codes.shape[axis], np.float32),
        "zeros": np.zeros(codes.shape[axis], np.int8),
        "scale": np.float32(0.1),
        "zero": zero_point,
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
        helper.make_node("DequantizeLinear", ["codes", "scales", "zeros"], ["w"], axis=axis),
        helper.make_node(operator, ["d", "w"], ["y"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "network",
        [value("x", onnx.TensorProto.FLOAT, ["n", 2, 8, 8])],
        [value("y", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in names.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets).SerializeToString()


@pytest.mark.slow
def test_symmetric_signed_codes_and_plain_networks_are_read(package):
    check_rules(quantized(np.int8(0)))
    check_rules(package.content)


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (quantized(np.int8(3)), "zero point is not 0"),
        (quantized(np.uint8(128)), "not signed"),
        (quantized(np.int8(0), axis=1), "another axis"),
        (quantized(np.int8(0), opset=8), "opset 8"),
        (quantized(np.int8(0), operator="ConvInteger"), "ConvInteger"),
    ],
)
def test_what_tensorrt_does_not_read_is_named(content, fact):
    with raises("deploy.tensorrt", fact):
        check_rules(content)


def test_the_session_never_claims_another_provider(package, tmp_path):
    """On a machine without TensorRT, ONNX Runtime falls back silently; the facts tell."""
    pytest.importorskip("onnxruntime")
    path = package.save(tmp_path / "a.onnx")
    code = """
import sys
from pathlib import Path
from workbench.deploy.sessions import tensorrt
print(tensorrt.start(Path(sys.argv[1]), {"threads": 1}).facts()["provider"])
"""
    result = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, check=True, text=True
    )
    expected = PROVIDER if find_spec("tensorrt") else "CPUExecutionProvider"
    assert result.stdout.split()[-1] == expected


def test_the_requirements_name_the_packages_and_not_their_modules():
    versions = {"torch": "2", "onnxruntime": "1.32.0", "tensorrt": "11.1.0", "ai_edge_litert": "2"}
    manifest = {"target": {"runtime": "tensorrt"}, "versions": versions}
    assert requirements(manifest).split() == [
        "onnxruntime-gpu==1.32.0",
        "tensorrt==11.1.0",
        "numpy",
    ]
    manifest["target"] = {"runtime": "litert"}
    assert requirements(manifest).split() == ["ai-edge-litert==2", "numpy"]


def test_a_module_of_another_package_has_its_version(monkeypatch):
    def version(name):
        if name != "onnxruntime-gpu":
            raise PackageNotFoundError(name)
        return "1.32.0+cu13"

    monkeypatch.setattr(runtimes, "version", version)
    monkeypatch.setattr(
        runtimes, "packages_distributions", lambda: {"onnxruntime": ["onnxruntime-gpu"]}
    )
    assert RUNTIMES["tensorrt"].versions()["onnxruntime"] == "1.32.0"
    assert RUNTIMES["tensorrt"].versions()["tensorrt"] == ""
