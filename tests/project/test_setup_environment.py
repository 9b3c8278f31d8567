"""The index for PyTorch, and when set-up installs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from workbench._setup import environment
from workbench._setup.machine import Machine, SetupError

LINUX = Machine("Linux", "x86_64", (3, 12), libc=(2, 36))
MAC = Machine("Darwin", "arm64", (3, 12), macos=(14, 5))
NVIDIA = replace(LINUX, has_nvidia=True)
MIRROR = "https://mirror.example/whl"


@pytest.mark.parametrize(
    ("machine", "chosen", "is_there", "index"),
    [
        (LINUX, None, True, environment.CPU_INDEX),
        (LINUX, None, False, None),
        (LINUX, "", True, None),
        (LINUX, MIRROR, True, MIRROR),
        (LINUX, MIRROR, False, None),
        (NVIDIA, None, True, None),
        (NVIDIA, MIRROR, True, MIRROR),
        (MAC, None, True, None),
    ],
)
def test_the_index_of_cpu_builds(machine, chosen, is_there, index):
    assert environment.torch_index(machine, chosen, lambda url: is_there) == index


def test_an_unreachable_index_is_reported(capsys):
    environment.torch_index(LINUX, MIRROR, lambda url: False)
    assert capsys.readouterr().err == f"{MIRROR} cannot be reached; continuing without it.\n"


def test_an_index_without_a_suitable_build_is_skipped(monkeypatch, capsys):
    def refuse(*arguments):
        raise SetupError("pip install failed, as it says above.")

    monkeypatch.setattr(environment, "pip", refuse)
    monkeypatch.setattr(environment, "torch_index", lambda *arguments: MIRROR)
    environment.install_torch("install")
    assert "continuing without" in capsys.readouterr().err


def test_a_closed_port_is_not_reachable():
    assert not environment.reachable("http://127.0.0.1:9", timeout=2)


def test_a_folder_is_always_reachable(tmp_path):
    assert environment.reachable(tmp_path.as_uri())


def test_a_stamp_of_another_state_is_ignored(tmp_path):
    stamp = tmp_path / "stamp.json"
    assert environment.installed(stamp, "now") == set()
    stamp.write_text(json.dumps({"state": "then", "target": "test"}))
    assert environment.installed(stamp, "now") == set()
    stamp.write_text(json.dumps({"state": "now", "target": "test"}))
    assert environment.installed(stamp, "now") == {"run", "test"}
    stamp.write_text("half a fi")
    assert environment.installed(stamp, "now") == set()


def test_without_a_newer_pip_the_old_one_installs(monkeypatch):
    monkeypatch.setattr(environment, "python", lambda: "false")
    environment.renew_pip()


@pytest.mark.parametrize(
    ("had", "wanted", "installs"),
    [
        (None, "run", "."),
        ("run", "run", None),
        ("run", "test", ".[test]"),
        ("test", "run", None),
    ],
)
def test_pip_runs_only_if_something_is_missing(tmp_path, monkeypatch, had, wanted, installs):
    calls = []
    stamp = tmp_path / "stamp.json"
    if had:
        stamp.write_text(json.dumps({"state": environment.digest(), "target": had}))
    monkeypatch.setattr(environment, "STAMP", stamp)
    monkeypatch.setattr(environment, "python_works", lambda: True)
    monkeypatch.setattr(environment, "renew_pip", lambda: calls.append("newest pip"))
    monkeypatch.setattr(environment, "install_torch", lambda verb, *options: None)
    monkeypatch.setattr(environment, "pip", lambda *arguments: calls.append(arguments))
    assert environment.ensure(wanted) == bool(installs)
    expected = ["newest pip", ("install", "--no-compile", "-e", installs)] if installs else []
    assert calls == expected
    assert environment.installed(stamp, environment.digest()) >= environment.needs(wanted)
