"""Every reader of files gives one error for a path that does not exist."""

from pathlib import Path

import pytest
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.cli.main import main
from workbench.errors import MissingFileError
from workbench.planner.calibration_file import read_chip, read_rows

SENTENCE = "There is no file or folder {}: check the path."
READERS = {
    "compare_files": lambda path: wb.compare_files(path, path),
    "compress_file": lambda path: wb.compress_file(path, wb.Recipe(), "small"),
    "decompress": lambda path: wb.decompress(path, "big"),
    "evaluate": wb.evaluate,
    "export": wb.export,
    "from_checkpoint": lambda path: wb.from_checkpoint(path, nn.Linear(2, 2)),
    "from_pictures": wb.from_pictures,
    "from_table": wb.from_table,
    "inspect_checkpoint": wb.inspect_checkpoint,
    "inspect_pictures": wb.inspect_pictures,
    "inspect_table": wb.inspect_table,
    "load": wb.load,
    "load_package": wb.load_package,
    "plan": lambda path: wb.plan(path, batch=1, context=1),
    "predict": lambda path: wb.predict(path, [[1.0]]),
    "read_chip": read_chip,
    "read_rows": read_rows,
    "to_module": wb.to_module,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_path(reader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "none"
    with raises("file.missing") as caught:
        READERS[reader](path)
    assert str(caught.value) == SENTENCE.format(path)
    assert isinstance(caught.value, MissingFileError)


@pytest.mark.parametrize("command", [["inspect"], ["predict", "small.safetensors"]])
def test_a_missing_path_on_the_console(command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*command, "none.csv"]) != 0
    assert SENTENCE.format("none.csv") in capsys.readouterr().err


@pytest.mark.parametrize("reader", READERS)
def test_a_path_that_no_system_can_have(reader, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with raises("file.cannot_read"):
        READERS[reader](Path("a" * 300))


def test_a_folder_is_not_missing(tmp_path):
    with raises("file.is_a_folder", tmp_path):
        wb.from_checkpoint(tmp_path, nn.Linear(2, 2))
