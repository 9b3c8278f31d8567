"""Predictions for rows of a table are those on the screen, from the file alone."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys

import numpy as np
import pytest

import workbench as wb
from tests.custom.prediction.conftest import HEADER, as_csv, buyers, sentences
from tests.raises import raises
from workbench.cancel import NEVER
from workbench.cli import main
from workbench.custom.prediction.contents import contents_of
from workbench.custom.prediction.run import predict_numbers
from workbench.evaluation.sums import _outputs_and_targets

RUN = """
import json, sys
from workbench.cli import main
for arguments in json.loads(sys.argv[1]):
    assert main(arguments) == 0
"""


def in_a_new_process(*commands):
    """Run console commands in one new process, and return what they print."""
    texts = json.dumps([[str(argument) for argument in command] for command in commands])
    command = [sys.executable, "-c", RUN, texts]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [*csv.DictReader(file)]


@pytest.mark.slow
def test_a_new_process_predicts_what_the_report_says(classes, numbers, tmp_path):
    rows, commands = buyers(), []
    for trained, split in ((classes, "validation"), (numbers, "test")):
        source, output = tmp_path / f"{split}.csv", tmp_path / f"{split} predicted.csv"
        source.write_bytes(as_csv([rows[n] for n in trained.table.splits[split]]))
        commands.append(["predict", trained.path, source, "--output", output])
    commands.append(["predict", classes.path, tmp_path / "validation.csv", "--json"])
    result = json.loads(in_a_new_process(*commands).splitlines()[-1])
    expected = wb.predict(classes.path, tmp_path / "validation.csv")
    assert result["predicted"] == expected.predicted
    assert result["probabilities"] == expected.probabilities.tolist()
    assert (result["target"], result["classes"]) == ("buys", ["no", "yes"])
    assert result["figures"]["accuracy"] == expected.figures["accuracy"]
    for trained, split in ((classes, "validation"), (numbers, "test")):
        held_out = trained.table.splits[split]
        written = read_csv(tmp_path / f"{split} predicted.csv")
        report = wb.measure(trained.model, trained.artifact.recipe, split=split, timed=False)
        name = trained.table.preprocessing.target.name
        assert len(written) == len(held_out)
        if trained is classes:
            right = [row[f"predicted {name}"] == row[name] for row in written]
            assert np.mean(right) == report.accuracy
            assert 0.6 < report.accuracy < 1
        else:
            known = trained.table.data.parts[split][1]
            target = trained.table.preprocessing.target
            outputs = [float(row[f"predicted {name}"]) for row in written]
            standardized = ((np.array(outputs) - target.mean) / target.scale).astype(np.float32)
            squared = np.square(standardized.astype(np.float64) - known).mean()
            variance = np.var(known.astype(np.float64))
            assert 1 - squared / variance == pytest.approx(report.value, abs=1e-6)


def test_numbers_are_the_same_bits_as_on_the_screen(numbers):
    model, artifact = numbers.model, numbers.artifact
    split = model.task.split("validation")
    shaped = model.with_spec(artifact.spec)
    indices = np.arange(len(split))
    expected, _labels = _outputs_and_targets(shaped, artifact.operands(), split, indices, NEVER)
    rows = buyers()
    held_out = [rows[n] for n in numbers.table.splits["validation"]]
    predictions = wb.predict(numbers.path, as_csv(held_out))
    target = numbers.table.preprocessing.target
    np.testing.assert_array_equal(
        predictions.values,
        expected.numpy().reshape(-1).astype(np.float64) * target.scale + target.mean,
    )
    assert np.array_equal(predict_numbers(model, artifact, split.examples), expected.reshape(-1))


@pytest.mark.slow
def test_all_ways_to_give_rows_agree(classes, tmp_path):
    rows = buyers(20, seed=3)
    path = tmp_path / "rows.csv"
    path.write_bytes(as_csv(rows))
    expected = wb.predict(classes.path, path)
    columns = {name: [row[n] for row in rows] for n, name in enumerate(HEADER)}
    order = random.Random(1).sample(range(6), 6)
    shuffled = as_csv(
        [[*(row[n] for n in order), "?"] for row in rows], [*(HEADER[n] for n in order), "x"]
    )
    upper = as_csv(rows, [f" {name.upper()} " for name in HEADER], ";")
    sources = {
        "bytes": as_csv(rows),
        "str": str(path),
        "mapping": columns,
        "dicts": [dict(zip(HEADER, row, strict=True)) for row in rows],
        "other order, one more column": shuffled,
        "names in capitals, other delimiter": upper,
        "UTF-16": as_csv(rows).decode().encode("utf-16"),
        "without the target": {name: columns[name] for name in HEADER[:-1]},
    }
    for name, source in sources.items():
        for file in (classes.path, classes.artifact):
            predictions = wb.predict(file, source)
            np.testing.assert_array_equal(predictions.values, expected.values, err_msg=name)
            np.testing.assert_array_equal(
                predictions.probabilities, expected.probabilities, err_msg=name
            )
            assert predictions.notes == ()
    assert wb.predict(classes.path, sources["without the target"]).figures == {}
    right = sum(p == row[-1] for p, row in zip(expected.predicted, rows, strict=True))
    assert expected.figures["accuracy"] == right / 20
    np.testing.assert_allclose(expected.probabilities.sum(axis=1), 1)
    whole = wb.predict(classes.model, path)
    report = wb.measure(classes.model, timed=False)
    assert wb.predict(classes.model, as_csv(buyers())).figures["examples"] == 240
    assert (whole.model, report.model) == ("custom/buyers", "custom/buyers")


@pytest.mark.slow
def test_what_is_missing_or_unknown_is_said(classes):
    row = dict(zip(HEADER, buyers(1)[0], strict=True))
    known = wb.predict(classes.path, [row, row])
    for changes, facts in [
        ({"city": None}, ()),
        ({"city": "Atlantis"}, ("city", "“Atlantis”")),
        ({"=age": "about 40"}, ("=age", "“about 40”", "line 3")),
        ({"date": "soon"}, ("date", "“soon”")),
    ]:
        predictions = wb.predict(classes.path, [row, row | changes])
        np.testing.assert_array_equal(predictions.probabilities[0], known.probabilities[0])
        assert (len(predictions.notes) == 1) == bool(facts), predictions.notes
        for fact in facts:
            assert fact in predictions.notes[0]
        assert predictions.predicted[1] in {"no", "yes"}
    few = wb.predict(classes.path, [{"income": "70,000.00"}])
    assert few.predicted == ["yes"]
    (note,) = few.notes
    assert "“date”, “city”, “note” and 1 more" in note
    assert wb.predict(classes.path, {"income": "70,000.00"}).predicted == ["yes"]  # one row
    blank = wb.predict(classes.path, [row, dict.fromkeys(HEADER, ""), dict.fromkeys(HEADER)])
    (note,) = blank.notes
    assert note.startswith("2 rows have no value")
    # in the same place of a batch: the last bits of a product depend on it on some processors
    each = [wb.predict(classes.path, [row, dict.fromkeys(HEADER, empty)]) for empty in ("", None)]
    np.testing.assert_array_equal(*(predictions.probabilities for predictions in each))


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([{"x": 1}], "predict.no_known_column"),
        ({"x": [1, 2], "y": [1, 2]}, "predict.no_known_column"),
        (b"x,y\n1,2\n", "predict.no_known_column"),
        (b"income,city\n", "predict.no_rows"),
        (b"income\n", "predict.no_rows"),
        ([], "predict.no_rows"),
        ({}, "predict.no_rows"),
        ([{}], "predict.no_rows"),
        ({"income": []}, "predict.no_rows"),
        (["a good film"], "predict.not_only_text"),
        ([1, 2], "predict.invalid_rows"),
        (7, "table.invalid_source"),
        (b"", "upload.empty"),
        (b"PK\x03\x04" + b"\0" * 40, "upload.not_a_table"),
        ("no such file.csv", "file.missing"),
        ({"income": [1], "city": ["a", "b"]}, "upload.row_length"),
    ],
    ids=str,
)
def test_rows_that_cannot_be_used(classes, rows, code):
    with raises(code):
        wb.predict(classes.path, rows)


def test_other_files_cannot_predict(tmp_path):
    lenet = wb.compress(wb.model("fashion/lenet5"), wb.Recipe())
    with raises("artifact.no_preprocessing"):
        wb.predict(lenet, [{"x": 1}])
    with raises("argument.not_an_artifact"):
        wb.predict(7, [])
    with raises("file.missing"):
        wb.predict(tmp_path / "none.safetensors", [])


def test_texts(texts, tmp_path):
    new = sentences(10)
    expected = ["up", "down"] * 5
    assert wb.predict(texts.path, new).predicted == expected
    path = tmp_path / "texts.csv"
    path.write_bytes(as_csv([[text] for text in new], ["text"]))
    assert wb.predict(texts.path, path).predicted == expected
    assert wb.predict(texts.path, [{"text": text} for text in new]).predicted == expected
    assert wb.predict(texts.path, {"text": new}).predicted == expected
    assert (
        wb.predict(texts.path, as_csv(zip(expected, new, strict=True), ["x", "Text"])).predicted
        == expected
    )


@pytest.mark.slow
def test_a_table_without_names(folder):
    from tests.custom.prediction.conftest import trained_on_table

    generator = random.Random(0)
    rows = [[generator.gauss(0, 1), generator.gauss(5, 1), "b"] for _ in range(60)]
    for row in rows:
        row[2] = "high" if row[0] > 0 else "low"
    content = as_csv(rows[1:], rows[0])
    trained = trained_on_table(folder, "unnamed", content, "column 3", 100)
    assert [c.name for c in trained.table.preprocessing.columns] == ["column 1", "column 2"]
    predictions = wb.predict(trained.path, b"2.5,5.0\n-2.5,5.1\n2.0,4.9\n")
    assert predictions.predicted == ["high", "low", "high"]
    assert predictions.sources == [1, 2, 3]


def test_the_written_rows_are_safe_and_exact(numbers, tmp_path):
    rows = buyers(12, seed=5)
    predictions = wb.predict(numbers.path, as_csv(rows))
    predictions.to_csv(tmp_path / "p.csv")
    written = read_csv(tmp_path / "p.csv")
    for row, original, predicted in zip(written, rows, predictions.predicted, strict=True):
        assert float(row["predicted income"]) == predicted
        assert row["city"] == ("'=cmd()" if original[2] == "=cmd()" else original[2])
        assert row["note"] == ("'-bad" if original[3] == "-bad" else original[3])
        assert row["'=age"] == original[4]  # a negative number stays a number
    assert predictions.to_csv().splitlines()[0].startswith("date,income,city,note,'=age,buys,")


def test_inspect_lists_what_a_file_contains(classes, capsys):
    assert main(["inspect", str(classes.path)]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in HEADER)
    assert "Zürich" in printed
    assert main(["inspect", str(classes.path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["contents"]["columns"] == HEADER
    assert result["ledger"]["preprocessing"] > 500


def test_results_display_themselves(classes, numbers):
    for trained in (classes, numbers):
        predictions = wb.predict(trained.path, as_csv(buyers(30)))
        bundle = predictions._repr_mimebundle_()
        target = trained.table.preprocessing.target.name
        assert target in bundle["text/html"]
        assert "30" in bundle["text/html"]
        assert len(predictions.plot().figure["data"]) == 1
        frame = predictions.to_frame()
        assert [*frame][:6] == HEADER
        assert len(frame[f"predicted {target}"]) == 30


@pytest.mark.slow
def test_what_a_file_contains_is_said_before_a_download(classes, numbers, texts, pictures):
    contents = contents_of(classes.model.preprocessing)
    assert contents.columns == (*HEADER[:-1], "buys")
    assert set(contents.values["city"]) == {"Rome", "Oslo", "=cmd()", "Zürich"}
    assert contents.values["buys"] == ("no", "yes")
    assert "good" in contents_of(texts.model.preprocessing).values["text"]
    assert "6" in contents.text
    assert "buyers.csv" in contents.text
    assert json.loads(json.dumps(contents.as_dict()))["columns"] == list(contents.columns)
    assert "income" not in contents_of(numbers.model.preprocessing).values
    assert contents_of(pictures.model.preprocessing).values == {"class": ("bright", "dark")}
    assert contents_of(None) is None


def odd_columns(row):
    """Return cells of columns of every type, complete and with gaps."""
    text = "a good day" if row % 2 else "a bad night and rain"
    gap = row % 3 == 0
    return {
        "number": row % 7,
        "number with gaps": "" if gap else row % 11,
        "category": "ab"[row % 2],
        "category with gaps": "" if gap else "xyz"[row % 3],
        "constant": "one",
        "constant with gaps": "" if gap else "one",
        "zero with gaps": "" if gap else 0,
        "empty": "",
        "date": f"2024-{1 + row % 12:02}-{1 + row % 28:02}",
        "date with gaps": "" if gap else f"2024-{1 + row % 12:02}-{1 + row % 28:02}",
        "identifier": f"C{row:05}",
        "text": f"{text} {'very ' * (row % 5)}long, said number {row}",
        "target": "yes" if (row % 7 > 3) != gap else "no",
    }


@pytest.mark.slow
def test_columns_of_every_type_are_predicted_from(tmp_path):
    rows = [odd_columns(row) for row in range(150)]
    path = tmp_path / "odd.csv"
    path.write_bytes(as_csv([[*row.values()] for row in rows], [*rows[0]]))
    model = wb.from_table(path, target="target")
    file = wb.compress(model, wb.Recipe()).save(tmp_path / "odd.safetensors")
    predictions = wb.predict(file, path)
    assert len(predictions) == len(rows)
    assert predictions.figures["accuracy"] > 0.9
