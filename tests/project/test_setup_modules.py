"""Modules of tests are compiled during set-up."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest

from workbench._setup import modules


def test_a_module_is_compiled_while_other_work_goes_on(tmp_path, monkeypatch):
    (tmp_path / "late_module.py").write_text("import missing_module")
    monkeypatch.setattr(modules, "ROOT", tmp_path)
    monkeypatch.setattr(modules, "python", lambda: sys.executable)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    with modules.compiling([("-c", "import late_module")]):
        pass
    compiled = [re.split(r"[.-]", path.name)[0] for path in tmp_path.glob("__pycache__/*.pyc")]
    assert compiled == ["late_module"]


@pytest.mark.parametrize("name", modules.LATE)
def test_the_large_modules_exist(name):
    assert importlib.util.find_spec(name)
