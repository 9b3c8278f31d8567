"""Packages and runtimes that compute something else are found out and named."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import workbench as wb
from tests.raises import raises
from workbench.deploy import host, process
from workbench.deploy.confirm import Reference
from workbench.deploy.host import Host
from workbench.deploy.process import Process
from workbench.deploy.sessions.processor import CPUINFO
from workbench.fork_server import AVAILABLE

onnx = pytest.importorskip("onnx")
numpy_helper = pytest.importorskip("onnx.numpy_helper")


def changed(package, change):
    """Return a package whose ONNX graph was changed."""
    model = onnx.load_from_string(package.content)
    change(model.graph)
    return replace(package, content=model.SerializeToString())


def scaled(graph):
    largest = max(graph.initializer, key=lambda tensor: np.prod(tensor.dims))
    array = numpy_helper.to_array(largest) * np.float32(0.5)
    largest.CopyFrom(numpy_helper.from_array(array, largest.name))


def with_other_reset(graph):
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "linear_before_reset":
                attribute.i = 1 - attribute.i


def test_a_wrong_weight_is_found(package):
    result = wb.confirm(changed(package, scaled))
    assert not result.confirmed
    assert "do not use this package" in result.summary
    assert result.score.value != result.reference.value


@pytest.mark.slow
def test_the_wrong_order_of_a_recurrent_layer_is_named_and_shows_in_the_outputs(monkeypatch):
    pytest.importorskip("onnxruntime")
    package = wb.export(wb.compress(wb.model("vowels/gru"), wb.Recipe()))
    wrong = changed(package, with_other_reset)
    with raises("deploy.other_reset", "reset gate"):
        wb.confirm(wrong)
    monkeypatch.setattr(Reference, "check", lambda *_arguments: None)
    result = wb.confirm(wrong)
    assert result.largest_difference > 1e-2
    assert not result.confirmed


def answering(monkeypatch, change):
    """Let the requests of processes, and their answers, be changed by `change`."""
    ask = Process.ask

    def asked(process, command, seconds, **request):
        change(request)
        answer = ask(process, command, seconds, **request)
        change(answer)
        return answer

    monkeypatch.setattr(Process, "ask", asked)


@pytest.mark.skipif(
    CPUINFO.exists() and "bf16" not in CPUINFO.read_text(encoding="utf-8"),
    reason="OpenVINO computes in bfloat16 only on processors that have it.",
)
@pytest.mark.slow
def test_a_lower_precision_that_was_left_on_is_named(artifact, monkeypatch):
    pytest.importorskip("openvino")
    package = wb.export(artifact, wb.Target("openvino"))

    def left_on(message):
        if "precision" in message:
            message["precision"] = "bfloat16"

    answering(monkeypatch, left_on)
    with raises("deploy.other_precision", "bf16"):
        wb.confirm(package)


def test_a_provider_that_fell_back_is_named(package, monkeypatch):
    def fallen_back(message):
        if "facts" in message:
            message["facts"]["provider"] = "CUDAExecutionProvider"

    answering(monkeypatch, fallen_back)
    with raises("deploy.other_provider", "CUDAExecutionProvider"):
        wb.confirm(package)


@pytest.mark.parametrize("size", [0, 10, -1])
def test_a_package_that_was_cut_short_is_refused(package, tmp_path, size):
    path = package.save(tmp_path / "a.onnx")
    path.write_bytes(package.content[:size])
    with raises("deploy.truncated"):
        wb.load_package(path)


def test_a_package_that_was_changed_is_refused(package, tmp_path):
    path = package.save(tmp_path / "a.onnx")
    content = bytearray(package.content)
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with raises("deploy.changed"):
        wb.load_package(path)


@pytest.mark.parametrize(
    "manifest", ["", "{}", "[]", '{"format": "workbench-package/9"}', "[" * 100_000]
)
def test_a_manifest_of_another_kind_is_refused(package, tmp_path, manifest):
    path = package.save(tmp_path / "a.onnx")
    path.with_name("a.onnx.json").write_text(manifest)
    with raises("deploy.invalid_manifest"):
        wb.load_package(path)


def test_a_network_that_the_runtime_refuses_is_an_error(package):
    with raises("deploy.runtime_refused") as caught:
        wb.confirm(replace(package, content=package.content[:1000]))
    assert ".cc:" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "RuntimeError: Exception from src/core.cpp:9:\nCheck 'ok' failed at src/node.h:1: No",
            "RuntimeError: Check 'ok' No",
        ),
        (
            "FAIL : /onnxruntime_src/core/graph.cc:4164 Replaces a tensor",
            "FAIL : Replaces a tensor",
        ),
        ("The whole graph:" + 200 * " node", "The whole graph:" + 56 * " node" + " …"),
    ],
)
def test_the_error_of_a_runtime_has_no_place_in_its_source(text, sentence, monkeypatch):
    monkeypatch.setattr(Host, "ask", lambda *_arguments, **_request: {"error": text})
    process = object.__new__(Host)
    process._title = "OpenVINO"
    with raises("deploy.runtime_refused", f"{sentence}.") as caught:
        process._answer("load", 1)
    assert len(str(caught.value)) < 500
    assert not re.search(r"\.(cc|cpp|h):", str(caught.value))


@pytest.fixture(params=["copied", "started"])
def worker(request, monkeypatch, tmp_path):
    """Write what the process of a runtime runs, as a copy of a process or as a program."""

    def write(source):
        (tmp_path / "broken.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(host, "WORKER", "broken")

    monkeypatch.setattr(process, "AVAILABLE", AVAILABLE and request.param == "copied")
    return write


CRASH = """import os, sys
def main():
    print("no memory", file=sys.stderr, flush=True)
    os.abort()
"""
HANG = "import time\ndef main():\n    time.sleep(60)\n"
HANG_WHILE_LOADING = "import time\ntime.sleep(60)\n"
CALL = "if __name__ == '__main__':\n    main()\n"


@pytest.mark.slow
def test_a_runtime_that_crashes_is_an_error(package, worker):
    worker(CRASH + CALL)
    with raises("deploy.runtime_ended", "ended with status -6") as caught:
        wb.confirm(package)
    assert "no memory" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("source", [HANG + CALL, HANG_WHILE_LOADING])
def test_a_runtime_that_hangs_is_ended(source, package, worker):
    worker(source)
    with raises("deploy.runtime_ended") as caught, Host("onnxruntime") as loading:
        loading.load(package, seconds=0.5)
    assert "did not answer within 0.5 s" in str(caught.value)
