"""`workbench learn`: from a table or pictures to a file, with what was used and how it predicts."""

from __future__ import annotations

import zipfile
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import workbench as wb
from workbench.custom.uploads import time_limit


@pytest.fixture
def csv(tmp_path):
    generator = np.random.default_rng(0)
    income, age = generator.integers(10_000, 90_000, 200), generator.integers(18, 80, 200)
    lines = [
        f"{n},{i},{a},{'yes' if i + 300 * a > 66_000 else 'no'}"
        for n, (i, a) in enumerate(zip(income, age, strict=True))
    ]
    lines[7] = "7,12000 approx,40,no"
    path = tmp_path / "customers.csv"
    path.write_text("\n".join(["id,income,age,buys", *lines]))
    return path


@pytest.mark.slow
def test_it_prints_what_was_used_and_writes_a_file(ask, csv, tmp_path):
    output = tmp_path / "customers.safetensors"
    result = ask("learn", csv, "--target", "buys", "--seconds", 5, "--output", output)
    assert (result["rows_read"], result["rows_used"]) == (200, 200)
    assert result["columns_used"] == ["income", "age"]
    assert list(result["columns_left_out"]) == ["id"]
    assert sum(result["classes"].values()) == 200
    assert result["metric"] == "accuracy"
    assert result["value"] == result["accuracy"] > 0.8
    assert result["baseline"] < 0.75
    assert set(result["recall"]) == {"yes", "no"}
    assert any("12000 approx" in warning for warning in result["warnings"])
    artifact = wb.load(output)
    assert artifact.model == result["model"] == "custom/customers"
    assert output.stat().st_size == result["bytes"]
    report = wb.evaluate(artifact)
    assert report.value == result["value"]


@pytest.mark.slow
def test_the_encoding_is_an_option_of_all_commands_that_read_tables(ask, workbench, tmp_path):
    rows = (f"{'≤ 5' if n % 3 else 'Ω'},{n % 7},{'no' if n % 3 else 'sí'}" for n in range(90))
    table, file = tmp_path / "t.csv", tmp_path / "t.safetensors"
    table.write_bytes("\n".join(["a,b,y", *rows]).encode("mac_roman"))
    mac = ("--encoding", "mac-roman")
    assert set(ask("inspect", table, *mac)["target"]["classes"]) == {"no", "sí"}
    learned = ask("learn", table, "--seconds", 2, "--output", file, *mac)
    assert learned["classes"] == {"no": 60, "sí": 30}
    assert ask("predict", file, table, *mac)["predicted"][:2] == ["sí", "no"]
    assert ask("evaluate", file, "--data", table, *mac)["value"] == 1
    commands = (
        ("inspect", table),
        ("learn", table, "--output", tmp_path / "no"),
        ("predict", file, table),
        ("evaluate", file, "--data", table),
    )
    for command in commands:
        status, _out, err = workbench(*command, "--encoding", "utf-8")
        assert (status, err.count("\n")) == (2, 1)
        assert "line 2 has the byte 0xBD at offset 6" in err
    assert not (tmp_path / "no").exists()
    assert "--encoding is for --data" in workbench("evaluate", file, *mac)[2]


@pytest.mark.slow
def test_a_number_is_predicted_in_its_unit(ask, csv, tmp_path):
    output = tmp_path / "income.safetensors"
    result = ask(
        *("learn", csv, "--target", "income", "--number", "--leave-out", "id,age"),
        *("--seconds", 5, "--output", output),
    )
    assert result["metric"] == "r2"
    assert (result["classes"], result["accuracy"]) == ({}, None)
    assert result["columns_used"] == ["buys"]
    assert set(result["columns_left_out"]) == {"id", "age"}
    assert 5_000 < result["root mean squared error"] < 30_000
    assert result["baseline"] == 0
    assert 15_000 < result["baseline error"] < 30_000


@pytest.mark.slow
def test_rare_classes_are_left_out_if_wished(ask, workbench, csv, tmp_path):
    lines = csv.read_text().splitlines()
    csv.write_text("\n".join([*lines[1:], "999,1000,20,maybe"]))
    output = tmp_path / "m.safetensors"
    options = ("learn", csv, "--no-header", "--seconds", 2, "--output", output)
    status, _out, err = workbench(*options)
    assert status == 2
    assert "maybe" in err
    result = ask(*options, "--leave-out-rare")
    assert (result["rows_read"], result["rows_used"]) == (201, 200)
    assert result["target"] == "column 4"


@pytest.mark.slow
def test_it_is_printed_for_readers(workbench, csv, tmp_path):
    output = tmp_path / "customers.safetensors"
    status, out, _err = workbench("learn", csv, "--seconds", 3, "--output", output)
    assert status == 0
    assert "predicts buys" in out
    assert "left out   id" in out
    assert str(output) in out


def test_a_training_that_the_limit_ends_is_said(ask, workbench, csv, tmp_path, monkeypatch):
    monkeypatch.setattr(time_limit, "LEAST_STEPS", 1)
    options = ("learn", csv, "--seconds", 0.001, "--output", tmp_path / "m.safetensors")
    warnings = ask(*options)["warnings"]
    (position,) = [n for n, text in enumerate(warnings) if "Training stopped after" in text]
    assert "limit of 0.001 s: allow more time" in warnings[position]
    assert not any("better than guessing" in text for text in warnings[:position])
    _status, out, _err = workbench(*options)
    assert "note       Training stopped after" in out


@pytest.fixture
def photos(tmp_path):
    """An archive of 20 bright, 20 dark and 3 other pictures, and a text."""
    generator = np.random.default_rng(0)
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for folder, count, level in (("bright", 20, 200), ("dark", 20, 0), ("gray", 3, 100)):
            for n in range(count):
                pixels = generator.integers(level, level + 50, (12, 12)).astype(np.uint8)
                Image.fromarray(pixels).save(stream := BytesIO(), "PNG")
                archive.writestr(f"{folder}/{n}.png", stream.getvalue())
        archive.writestr("readme.txt", "two classes")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("unpacked", [False, True])
def test_pictures_are_learned(ask, photos, tmp_path, unpacked):
    source = photos
    if unpacked:
        source = tmp_path / "photos"
        zipfile.ZipFile(photos).extractall(source)
    output = tmp_path / "m.safetensors"
    result = ask(
        *("learn", source, "--leave-out", "gray", "--seconds", 2, "--output", output),
    )
    assert result["classes"] == {"bright": 20, "dark": 20}
    assert (result["files_read"], result["pictures_used"], result["size"]) == (44, 40, 28)
    assert sum(result["files_left_out"].values()) == 4
    assert result["bytes"] == output.stat().st_size
    assert result["accuracy"] == result["value"] == wb.evaluate(output).value


def test_options_of_the_other_kind_get_one_sentence(workbench, photos, csv, tmp_path):
    output = tmp_path / "m.safetensors"
    for source, option in ((photos, ("--target", "dark")), (csv, ("--size", "28"))):
        status, out, err = workbench("learn", source, *option, "--output", output)
        assert (status, out, output.exists()) == (2, "", False)
        assert option[0] in err


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (("--target", "colour"), "colour"),
        (("--leave-out", "income,size"), "size"),
        (("--number",), "buys"),
        (("--seconds", "0"), "seconds"),
        (("--name", "a/b"), "a/b"),
    ],
)
def test_bad_choices_get_one_sentence(workbench, csv, tmp_path, options, fact):
    output = tmp_path / "m.safetensors"
    status, out, err = workbench("learn", csv, *options, "--output", output)
    assert (status, out) == (2, "")
    assert fact in err
    assert err.count("\n") == 1
    assert not output.exists()
