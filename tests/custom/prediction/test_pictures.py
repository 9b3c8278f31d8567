"""Predictions for new pictures: from folders, archives and single files."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

import workbench as wb
from tests.custom.prediction.conftest import save_pictures
from tests.raises import raises


@pytest.fixture(scope="module")
def new(folder):
    return save_pictures(folder / "new", 6, seed=7, side=(20, 50))


@pytest.mark.slow
def test_a_folder_an_archive_and_single_pictures_agree(pictures, new, tmp_path):
    expected = wb.predict(pictures.path, new)
    assert expected.predicted == ["bright"] * 3 + ["dark"] * 3
    assert expected.sources == [
        f"{'bright' if n % 2 else 'dark'}/{n}.png" for n in (1, 3, 5, 0, 2, 4)
    ]
    assert expected.figures == {"accuracy": 1.0, "recall": 1.0, "f1": 1.0, "examples": 6}
    archive = tmp_path / "new.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in expected.sources:
            file.write(new / name, name)
    for source in (archive, archive.read_bytes(), [new / name for name in expected.sources]):
        predictions = wb.predict(pictures.artifact, source)
        np.testing.assert_array_equal(predictions.probabilities, expected.probabilities)
    single = wb.predict(pictures.path, str(new / "dark" / "0.png"))
    assert (single.predicted, single.sources) == (["dark"], ["0.png"])
    assert single.labels is None


def test_the_accuracy_is_that_of_the_report(pictures, folder):
    report = wb.measure(pictures.model, pictures.artifact.recipe, split="test", timed=False)
    labels = pictures.model.task.split("test").labels
    everything = wb.predict(pictures.path, folder / "shades")
    assert everything.figures["examples"] == 40
    assert report.accuracy > 0
    assert len(labels) == report.total


def test_damaged_files_are_left_out_and_said(pictures, tmp_path):
    source = save_pictures(tmp_path / "some", 4)
    (source / "dark" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (source / "dark" / "notes.txt").write_text("not a picture")
    (source / ".DS_Store").write_bytes(b"\0")
    predictions = wb.predict(pictures.path, source)
    assert len(predictions) == 4
    (note,) = predictions.notes
    assert "broken.png" in note


@pytest.mark.parametrize("source", [[], 7, b"PK nonsense"], ids=str)
def test_what_is_no_picture(pictures, source):
    with raises(
        {"[]": "predict.no_pictures", "7": "predict.invalid_pictures"}.get(
            str(source), "upload.not_zip"
        )
    ):
        wb.predict(pictures.path, source)


def test_a_folder_without_pictures(pictures, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with raises("predict.no_pictures"):
        wb.predict(pictures.path, tmp_path)
    with raises("file.missing"):
        wb.predict(pictures.path, tmp_path / "none")
