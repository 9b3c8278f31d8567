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
from workbench.deploy import interpreter
from workbench.deploy.runtimes import RUNTIMES


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"runtime": "coreml"}, "deploy.unknown_runtime"),
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
