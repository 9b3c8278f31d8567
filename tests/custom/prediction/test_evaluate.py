"""Files evaluated on new data with known values, against a direct computation."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import workbench as wb
from tests.custom.prediction.conftest import HEADER, as_csv, buyers, save_pictures, sentences
from tests.raises import raises
from workbench.cli.main import main


@pytest.mark.slow
def test_classes_are_counted_as_predicted(classes):
    rows = buyers(90, seed=7)
    rows[5][-1] = ""
    report = wb.evaluate(classes.path, data=as_csv(rows))
    predicted = wb.predict(classes.path, as_csv(rows)).predicted
    pairs = [(row[-1], name) for row, name in zip(rows, predicted, strict=True) if row[-1]]
    counts = {a: {b: pairs.count((a, b)) for b in report.classes} for a in report.classes}
    assert report.confusion == counts
    assert (report.rows, report.score.examples, report.target) == (90, 89, "buys")
    assert report.value == sum(a == b for a, b in pairs) / 89
    truth = [a for a, _b in pairs]
    assert report.figures.baseline == max(map(truth.count, set(truth))) / 89
    assert report.figures.recalls["yes"] == counts["yes"]["yes"] / truth.count("yes")
    assert report.to_frame()["true"][0] == report.classes[0]
    assert "89" in report.heading


def test_errors_of_numbers_are_in_the_unit_of_the_target(numbers):
    rows = [row for row in buyers(80, seed=8) if row[1]]
    report = wb.evaluate(numbers.path, data=as_csv(rows))
    predictions = wb.predict(numbers.path, as_csv(rows))
    truth = np.array([float(row[HEADER.index(report.target)].replace(",", "")) for row in rows])
    errors = np.array(predictions.predicted) - truth
    assert report.value == pytest.approx(1 - np.mean(errors**2) / truth.var(), rel=1e-4, abs=1e-4)
    assert report.figures.value == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-4)
    assert report.confusion == {}


def test_the_console_prints_the_confusion_matrix(classes, tmp_path, capsys):
    data = tmp_path / "new.csv"
    data.write_bytes(as_csv(buyers(60, seed=9)))
    assert main(["evaluate", str(classes.path), "--data", str(data)]) == 0
    assert "buys: accuracy" in (printed := capsys.readouterr().out)
    assert "60 of 60 new examples" in printed


def test_data_without_values_are_refused(classes):
    rows = [row[:-1] for row in buyers(60, seed=9)]
    with raises("evaluate.no_values", "buys"):
        wb.evaluate(classes.path, data=as_csv(rows, HEADER[:-1]))


@pytest.mark.slow
@pytest.mark.parametrize("is_archive", [False, True])
def test_pictures_are_labeled_by_their_folders(pictures, tmp_path, is_archive):
    folder = save_pictures(tmp_path / "new", 20, seed=3)
    (folder / "dark").rename(folder / "DARK")
    for name in ("gray/1.png", "loose.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((folder / "bright" / "1.png").read_bytes())
    (folder / "bright" / "3.png").rename(folder / "DARK" / "3.png")  # a wrong label
    if is_archive:
        shutil.make_archive(str(tmp_path / "new"), "zip", folder)
        folder = tmp_path / "new.zip"
    report = wb.evaluate(pictures.path, data=folder)
    assert report.confusion == {
        "bright": {"bright": 9, "dark": 0},
        "dark": {"bright": 1, "dark": 10},
    }
    assert (report.rows, report.score.examples, report.value) == (22, 20, 0.95)
    assert report.notes == (
        "2 pictures are in no folder of a class and are not evaluated, such as “gray/1.png”.",
    )


def test_other_data_than_pictures_are_refused(pictures, tmp_path):
    table = tmp_path / "new.csv"
    table.write_bytes(as_csv(buyers(60)))
    for source in (table, table.read_bytes()):
        with raises("predict.invalid_pictures", "predicts from pictures"):
            wb.evaluate(pictures.path, data=source)
    with raises("predict.encoding_of_pictures"):
        wb.evaluate(pictures.path, data=tmp_path, encoding="utf-8")


def test_texts_are_evaluated_like_their_predictions(texts):
    rows = [[text, "up" if "good" in text else "down"] for text in sentences(40)]
    report = wb.evaluate(texts.path, data=as_csv(rows, ["text", "target"]))
    predicted = wb.predict(texts.path, [text for text, _label in rows]).predicted
    right = sum(a == label for a, (_text, label) in zip(predicted, rows, strict=True))
    assert report.value == pytest.approx(right / 40)
