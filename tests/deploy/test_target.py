"""What can be exported for, and what cannot."""

from __future__ import annotations

import subprocess
import sys

import pytest

import workbench as wb
from tests.raises import raises
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
    line = f"pip install 'workbench[{extra}]'" if extra else "pip install onnxruntime-gpu"
    assert line in str(caught.value)
    assert f"{RUNTIMES[name].megabytes or 'thousand'} MB" in str(caught.value)


@pytest.mark.slow
def test_no_runtime_is_loaded_before_it_is_needed():
    code = (
        "import sys, workbench as wb; wb.Target(); wb.export; wb.confirm; import workbench.cli; "
        "print(sorted({'onnx', 'onnxscript', 'onnxruntime', 'openvino'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert process.stdout.decode().strip() == "[]"
