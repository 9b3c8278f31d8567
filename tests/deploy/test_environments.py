"""Python environments of their own: made after a confirmation, complete or absent."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from tests.raises import raises
from workbench.cli import main
from workbench.deploy import environments, interpreter
from workbench.deploy.environments import ENVIRONMENTS, Environment


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(environments.platformdirs, "user_data_path", lambda _name: tmp_path)
    return tmp_path


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """An environment with one package, from an index that is a folder."""
    info = "tiny_tool-1.0.dist-info"
    with zipfile.ZipFile(tmp_path / "tiny_tool-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_tool.py", "VALUE = 7\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-tool\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    environment = Environment("tiny", ("tiny-tool==1.*",), 1)
    monkeypatch.setitem(ENVIRONMENTS, "tiny", environment)
    return environment


@pytest.mark.slow
def test_the_command_makes_an_environment_that_also_sees_this_one(tiny, capsys):
    assert main(["setup", "tiny", "--yes"]) == 0
    printed = capsys.readouterr()
    assert "1 MB" in printed.err
    assert "tiny-tool 1.0" in printed.out
    code = "import tiny_tool, numpy, workbench.deploy.worker; print(tiny_tool.VALUE)"
    result = subprocess.run(
        [str(tiny.python), "-c", code], capture_output=True, check=True, text=True
    )
    assert result.stdout.strip() == "7"
    assert interpreter.interpreter(("tiny_tool",), tiny) == tiny.python
    assert main(["setup", "tiny"]) == 0  # there already: nothing to confirm


def test_nothing_is_downloaded_without_a_confirmation(tiny, capsys):
    assert main(["setup", "tiny"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert not tiny.folder.exists()


@pytest.mark.slow
def test_a_package_that_cannot_be_installed_leaves_nothing(tiny, monkeypatch):
    missing = Environment("tiny", ("no-such-tool==1.*",), 1)
    with raises("deploy.setup_failed", "no-such-tool"):
        missing.create()
    assert not missing.folder.exists()
    assert missing.python is None


def test_an_incomplete_environment_is_not_used(tiny):
    (tiny.folder / "bin").mkdir(parents=True)
    assert tiny.python is None
    assert tiny.versions() == {}


def test_this_python_comes_first(tiny):
    assert str(interpreter.interpreter(("json",), tiny)) == sys.executable
    assert interpreter.interpreter(("no_such_module",), None) is None
