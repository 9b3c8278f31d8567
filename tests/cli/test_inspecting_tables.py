"""`workbench inspect` of a table shows what `wb.inspect_table` finds."""

from __future__ import annotations

import json

import pytest

import workbench as wb


@pytest.fixture
def table(tmp_path):
    lines = (f"{n},{n * 31 % 97},{n % 4},{'no' if n % 3 else 'yes'}" for n in range(90))
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(["nr,income,kids,buys", *lines, "90,about 7,1,yes"]))
    return path


def test_the_json_is_the_inspection(ask, table):
    result = ask("inspect", table)
    assert result.pop("file") == str(table)
    assert result == json.loads(json.dumps(wb.inspect_table(table).as_dict()))
    assert (result["rows_read"], result["target"]["classes"]) == (91, {"no": 60, "yes": 31})


def test_options_are_those_of_the_function(ask, table):
    options = ("--target", "kids", "--number", "--leave-out", "buys", "--header")
    result = ask("inspect", table, *options)
    assert result["target"]["as_number"]
    assert [column["used"] for column in result["columns"]] == [False, True, False]
    assert ask("inspect", table, "--no-header")["target"]["name"] == "column 4"
    assert not ask("inspect", table, "--target", "kids", "--classes")["target"]["as_number"]


def test_the_text_has_a_line_for_each_column(workbench, table):
    status, out, _ = workbench("inspect", table)
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == "91 rows, UTF-8, comma, first line: names"
    assert lines[1] == "target: buys, classes: no 60, yes 31"
    income = next(line for line in lines if line.startswith("income"))
    assert "1: about 7 (line 92)" in income
    assert any(line.startswith("nr") and "no: its numbers count the rows" in line for line in lines)
    assert out.strip() == repr(wb.inspect_table(table))


@pytest.mark.parametrize(
    ("name", "data", "fact"),
    [
        ("a.csv", b"", "empty"),
        ("a.xlsx", b"PK\x03\x04", "CSV UTF-8"),
        ("a.csv.gz", b"\x1f\x8b\x08", ".gz"),
        ("missing.csv", None, "missing.csv"),
    ],
)
def test_other_files_are_one_line(workbench, tmp_path, name, data, fact):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    status, _, err = workbench("inspect", tmp_path / name)
    assert (status, err.count("\n")) == (2, 1)
    assert fact in err


def test_many_columns_are_cut():
    columns = {f"c{n}": [*range(60)] for n in range(300)} | {"y": ["a", "b"] * 30}
    assert "and 100 more columns" in repr(wb.inspect_table(columns))


@pytest.mark.parametrize("given", ["nr, income", '"nr","income"', "income,,nr,"])
def test_several_columns_are_left_out(ask, table, given):
    columns = ask("inspect", table, "--leave-out", given)["columns"]
    assert [column["used"] for column in columns] == [False, False, True]


def test_a_name_with_a_comma_is_in_quotation_marks(ask, tmp_path):
    lines = (f"{n * 7 % 31},{n * 31 % 97},{'no' if n % 3 else 'yes'}" for n in range(90))
    path = tmp_path / "net.csv"
    path.write_text("\n".join(['"price, net",income,buys', *lines]))
    columns = ask("inspect", path, "--leave-out", '"price, net"')["columns"]
    assert [column["used"] for column in columns] == [False, True]
