"""What can be exported for, and what cannot."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

import workbench as wb
from tests.raises import raises
from workbench import installation
from workbench.cli.deployment import _targets
from workbench.cli.main import main
from workbench.deploy import interpreter
from workbench.deploy.runtimes import RUNTIMES
from workbench.study import Study


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"runtime": "coreml"}, "deploy.unknown_runtime"),
        ({"runtime": 3}, "deploy.unknown_runtime"),
        ({"runtime": ["onnx"]}, "deploy.unknown_runtime"),
        ({"precision": "int3"}, "deploy.unknown_precision"),
        ({"runtime": "onnxruntime", "precision": "bfloat16"}, "deploy.unknown_precision"),
        ({"batch": 0}, "deploy.invalid_number"),
        ({"threads": 1.5}, "deploy.invalid_number"),
        ({"threads": True}, "deploy.invalid_number"),
    ],
)
def test_impossible_targets_are_refused(settings, code):
    with raises(code):
        wb.Target(**settings)


def test_the_alias_of_a_runtime_is_accepted_everywhere(artifact, tmp_path):
    assert wb.Target("onnx") == wb.Target("onnxruntime")
    packages = [wb.export(artifact, name) for name in ("onnx", "onnxruntime")]
    assert packages[0].manifest == packages[1].manifest
    file, output = tmp_path / "small.safetensors", tmp_path / "small.onnx"
    artifact.save(file)
    assert main(["export", str(file), "--to", "onnx", "--output", str(output)]) == 0
    assert output.read_bytes() == packages[0].content
    assert [target.runtime for target in _targets(["onnx", "onnxruntime"], [1], 1)] == [
        "onnxruntime"
    ]


def test_a_search_accepts_the_alias_of_a_runtime(artifact):
    study = Study.of(
        wb.model(artifact.model),
        wb.Space({"quantize.bits": [4, 8]}),
        objectives="latency",
        target="onnx",
    )
    assert study.target == wb.Target("onnxruntime")


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_missing_runtime_is_named_with_the_line_that_installs_it(name, artifact, monkeypatch):
    monkeypatch.setattr(interpreter, "find_spec", lambda package: None)
    with raises("deploy.not_installed") as caught:
        wb.export(artifact, name)
    extra = RUNTIMES[name].extra
    line = installation.install_command(extra) if extra else "pip install onnxruntime-gpu"
    assert line in str(caught.value)
    assert f"{RUNTIMES[name].megabytes or 'thousand'} MB" in str(caught.value)


@pytest.mark.parametrize("is_checkout", [True, False])
def test_the_line_that_installs_is_for_the_running_python(is_checkout, tmp_path, monkeypatch):
    root = tmp_path / "my code"
    root.mkdir()
    if is_checkout:
        (root / "pyproject.toml").touch()
    monkeypatch.setattr(installation, "ROOT", root)
    words = shlex.split(installation.install_command("onnx"), posix=os.name != "nt")
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    expected = ["-e", f"{root}[onnx]"] if is_checkout else ["workbench[onnx]"]
    assert [word.strip('"') for word in words[4:]] == expected


@pytest.mark.slow
def test_no_runtime_is_loaded_before_it_is_needed():
    code = (
        "import sys, workbench as wb; wb.Target(); wb.export; wb.confirm; import workbench.cli; "
        "print(sorted({'onnx', 'onnxscript', 'onnxruntime', 'openvino'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert process.stdout.decode().strip() == "[]"
