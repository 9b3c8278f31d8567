"""When the tools for JavaScript are installed."""

from __future__ import annotations

import json
import shutil

import pytest

from workbench._setup import node


@pytest.fixture
def ensure(tmp_path, monkeypatch):
    """Return a function that runs `ensure` on a simulated machine and counts installations."""
    monkeypatch.setattr(node, "MODULES", tmp_path)
    monkeypatch.setattr(node, "STAMP", tmp_path / "workbench.json")

    def ensure(version="v22.1.0", programs=("node", "npm"), works=True):
        commands = []

        def run(command, limit):
            if command[1] == "--version":
                return version
            commands.append(command)
            return "" if works else None

        monkeypatch.setattr(shutil, "which", lambda name: name if name in programs else None)
        node.ensure(run)
        return len(commands)

    return ensure


def test_tools_are_installed_once(ensure):
    assert ensure() == 1
    assert node.installed()
    assert ensure() == 0


def test_tools_are_installed_again_for_another_manifest(ensure, tmp_path, monkeypatch):
    ensure()
    manifest = tmp_path / "package.json"
    manifest.write_text('{"devDependencies": {"typescript": "1.0.0"}}')
    monkeypatch.setattr(node, "MANIFEST", manifest)
    assert not node.installed()
    assert ensure() == 1


def test_tools_are_not_installed_again_for_another_script(ensure, tmp_path, monkeypatch):
    ensure()
    manifest = tmp_path / "package.json"
    content = json.loads(node.MANIFEST.read_text("utf-8"))
    manifest.write_text(json.dumps(content | {"scripts": {}}))
    monkeypatch.setattr(node, "MANIFEST", manifest)
    assert node.installed()


@pytest.mark.parametrize(
    "machine", [{"programs": ()}, {"programs": ("node",)}, {"version": "v18.20.0"}]
)
def test_nothing_is_installed_without_a_recent_node_and_npm(ensure, machine):
    assert ensure(**machine) == 0
    assert not node.installed()


def test_a_failing_npm_does_not_stop_the_set_up(ensure, capsys):
    assert ensure(works=False) == 1
    assert not node.installed()
    assert "continuing without" in capsys.readouterr().err
