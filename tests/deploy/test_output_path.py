"""A package is written completely or not at all, and replaces nothing but a package."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import workbench as wb
from tests.raises import raises
from workbench.cli import main
from workbench.deploy import export
from workbench.deploy.package import Package

FOLDER = {"manifest.json", "model.onnx", "requirements.txt", "run.py"}


def made(runtime="onnxruntime", content=b"network"):
    """Return a package as an export makes it, of a network that nothing runs."""
    manifest = {
        "format": "workbench-package/2",
        "model": "vowels/cnn",
        "artifact": {"sha256": ""},
        "target": wb.Target(runtime).as_dict(),
        "file": {"bytes": len(content), "sha256": ""},
        "inputs": [
            {"name": "input", "dtype": "float32", "shape": ["batch"], "preparation": "numbers"}
        ],
        "classes": [],
        "versions": {"onnxruntime": "1", "openvino": "1", "torch": "1"},
    }
    return Package(content, manifest)


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["small", "a/b/ö #%", "." * 3, "x" * 250])
def test_a_folder_appears_with_all_files(tmp_path, name):
    network = made().save(tmp_path / name)
    assert network == tmp_path / name / "model.onnx"
    assert names(tmp_path / name) == FOLDER
    assert len(names((tmp_path / name).parent)) == 1
    (tmp_path / "usual").mkdir()
    assert (tmp_path / name).stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("name", ["small.onnx", "x" * 245 + ".onnx"])
def test_a_file_appears_with_its_manifest(tmp_path, name):
    assert made().save(tmp_path / name).read_bytes() == b"network"
    assert names(tmp_path) == {name, f"{name}.json"}


@pytest.fixture
def full_disk():
    """Let a file have at most 8,000 bytes."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["small", "small.onnx"])
@pytest.mark.parametrize("earlier", [False, True])
def test_nothing_changes_if_a_file_cannot_be_written(tmp_path, name, earlier, full_disk):
    if earlier:
        made().save(tmp_path / name)
    before = contents(tmp_path)
    package = made(content=b"another network")
    large = replace(package, manifest={**package.manifest, "classes": ["a" * 9000]})
    with raises("file.cannot_write", name):
        large.save(tmp_path / name)
    assert contents(tmp_path) == before
    assert bool(names(tmp_path)) == earlier


def test_an_earlier_package_is_replaced(tmp_path):
    made("torch").save(tmp_path / "small")
    (tmp_path / "small" / "notes.txt").write_text("mine", encoding="utf-8")
    network = made("openvino", b"new").save(tmp_path / "small")
    assert network.read_bytes() == b"new"
    assert names(tmp_path / "small") == {*FOLDER, "notes.txt"}
    manifest = json.loads((tmp_path / "small" / "manifest.json").read_text("utf-8"))
    assert manifest["target"]["runtime"] == "openvino"


@pytest.mark.parametrize("name", sorted(FOLDER))
@pytest.mark.parametrize("manifest", [None, '{"name": "an extension"}', "[]", '{"format": 3}'])
def test_files_that_are_of_no_package_are_not_replaced(tmp_path, name, manifest):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest, encoding="utf-8")
    before = contents(tmp_path)
    with raises("deploy.folder_in_use", tmp_path):
        made().save(tmp_path)
    assert contents(tmp_path) == before


def test_a_folder_with_other_files_takes_a_package(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    made().save(tmp_path)
    assert names(tmp_path) == {*FOLDER, "notes.txt"}


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", "torch"])
def test_a_file_of_another_runtime_is_not_made_a_folder(tmp_path, runtime):
    other = "small.pt2" if runtime != "torch" else "small.onnx"
    with raises("deploy.other_suffix", Path(other).suffix):
        made(runtime).save(tmp_path / other)
    assert not names(tmp_path)


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_is_not_replaced_by_a_folder(tmp_path, kind):
    path = tmp_path / "small"
    path.symlink_to(tmp_path / "nowhere") if kind == "link" else path.write_bytes(b"mine")
    with raises("deploy.not_a_folder", path):
        made().save(path)
    assert names(tmp_path) == {"small"}


def test_the_console_refuses_a_place_before_it_exports(tmp_path, monkeypatch, capsys):
    def exported(*_arguments):
        raise AssertionError

    monkeypatch.setattr(export, "export", exported)
    (tmp_path / "run.py").write_text("mine", encoding="utf-8")
    file = tmp_path / "file.safetensors"
    long = tmp_path / ("a" * 300)
    places = (tmp_path, tmp_path / "run.py", tmp_path / "run.py" / "small.onnx", "", long)
    for place in (*places, f"{long}.onnx"):
        assert main(["export", str(file), "--output", str(place)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert names(tmp_path) == {"run.py"}


@pytest.mark.parametrize("batch", ["0", "1,-3", "4097", "", "1,,2", "many"])
def test_the_console_times_no_other_numbers_of_examples(batch, capsys):
    assert main(["benchmark", "none.safetensors", "--batch", batch]) == 2
    error = capsys.readouterr().err
    assert "batch" in error
    assert "whole number" in error
    assert len(error.splitlines()) == 1


def test_a_path_that_is_too_long_is_an_error_when_it_is_read():
    with raises("file.cannot_read"):
        wb.load_package("a" * 300)
