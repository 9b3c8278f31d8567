"""The layout of tables as users really have them: lines, names, encodings, targets and leaks."""

from __future__ import annotations

import gzip
import io
import random
import zipfile

import numpy as np
import pytest

import workbench as wb
from tests.field.test_table_cases import BUYS, ROWS, column, csv, report
from tests.raises import raises
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.read import read, read_cells


def inspect(text, **options):
    return wb.inspect_table(text if isinstance(text, bytes) else text.encode(), **options)


def names_of(text, **choices):
    data = text if isinstance(text, bytes) else text.encode()
    return read(data, Choices(**choices)).names


# --- lines ---------------------------------------------------------------------------------

SEMICOLONS = BUYS.replace(",", ";")
LAYOUTS = {
    "the delimiter in the first line": "sep=;\n" + SEMICOLONS,
    "the delimiter with quotes": '"sep=;"\n' + SEMICOLONS,
    "a title": "Customers of 2020\n\n" + BUYS,
    "a title filled up": "Customers of 2020;;\n;;\n" + SEMICOLONS,
    "titles": "Report,2020\nPrinted on,1/1/2021\n\n" + BUYS,
    "comments": "# made by hand\n# 120 rows, 3 columns\n" + BUYS,
    "a comment mark at the names": "#" + BUYS,
    "comments between rows": BUYS.replace("\n", "\n# checked\n", 1),
    "delimiters at the ends": BUYS.replace("\n", ",\n"),
    "delimiters at the ends of rows": BUYS.replace("\n", ",\n").replace("buys,", "buys"),
    "blank lines": BUYS.replace("\n", "\n\n"),
    "empty rows": SEMICOLONS + ";;\n;;\n",
    "Windows line ends": BUYS.replace("\n", "\r\n"),
    "old Mac line ends": BUYS.replace("\n", "\r"),
    "no end of the last line": BUYS.rstrip(),
    "spaces after delimiters": BUYS.replace(",", ", "),
    "columns of spaces": BUYS.replace(",", "   "),
    "indented columns of spaces": "  " + BUYS.replace(",", "  ").replace("\n", "\n  "),
    "quotes": '"' + BUYS.strip().replace(",", '","').replace("\n", '"\n"') + '"',
    "single quotes": "'" + BUYS.strip().replace(",", "','").replace("\n", "'\n'") + "'",
    "types": BUYS.replace("\n", "\nint,int,string\n", 1),
    "units": BUYS.replace("\n", "\n[€],[years],\n", 1),
    "bars": BUYS.replace(",", "|"),
    "tabs": BUYS.replace(",", "\t"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_give_the_same_table(name):
    expected = read(BUYS.encode())
    table = read(LAYOUTS[name].encode())
    assert table.names == expected.names
    assert len(table) == ROWS
    for a, b in zip(table.columns, expected.columns, strict=True):
        assert (a.type, list(a.cells)) == (b.type, list(b.cells))
    assert table.header


def test_lines_that_are_left_out_are_said():
    text = BUYS + "Total,,\nnot a row\n"
    result = inspect(text)
    assert result.rows_read == ROWS + 1  # the line "Total" has as many cells as the others
    assert any("1 line is left out" in w and "line 123 has 1" in w for w in result.warnings)
    assert any("first line" in w for w in inspect("Customers\n" + BUYS).warnings)


def test_many_irregular_lines_are_refused():
    text = csv("a,b,y", lambda n: (n, n % 7, n % 2) if n % 4 else (n, n % 2))
    with raises("upload.row_length", "Line 2 has 2 cells", "3"):
        inspect(text)


def test_names_of_rows_without_a_name_for_them():
    text = csv("income,age,buys", lambda n: (f'"{n + 1}"', n * 7 % 50, n % 60, "yn"[n % 2]))
    assert names_of(text) == ("column 1", "income", "age", "buys")
    assert "count the rows" in report(text, "column 1").note


def test_quotation_marks_that_are_letters():
    text = csv(
        "text\tlabel", lambda n: (f'"hello {n} he said {n % 7}', "yn"[n % 2]), delimiter="\t"
    )
    table = read(text.encode())
    assert len(table) == ROWS
    assert table.columns[0].cells[3] == '"hello 3 he said 3'


def test_cells_with_delimiters_and_line_ends():
    text = csv("a;b;y", lambda n: (f'"x;{n % 3}\n""q"""', n, n % 2), delimiter=";")
    assert column(text, "a").words[0] == 'x;0\n"q"'


# --- names or data -------------------------------------------------------------------------


def iris(n):
    return 5.1 + n % 9 / 10, 3.5 - n % 7 / 10, 1.4, f"Iris-{'abc'[n % 3]}"


HEADERLESS = {
    "iris": csv("", iris),
    "numbers": csv("", lambda n: (n % 9, n * 1.5, n % 2)),
    "words that repeat": csv("", lambda n: ("no", ["low", "high"][n % 2], ["a", "b"][n // 2 % 2])),
    "spam": csv("", lambda n: ("ham" if n % 3 else "spam", f"some text {n} of it"), delimiter="\t"),
    "a missing value first": csv("", lambda n: ("?" if n == 0 else n, n * 1.5, "ab"[n % 2])),
}


@pytest.mark.parametrize("name", HEADERLESS)
def test_a_table_without_names_keeps_its_first_row(name):
    result = inspect(HEADERLESS[name])
    assert (result.rows_read, result.header) == (ROWS, False)
    assert result.target.name.startswith("column ")


def test_names_that_are_numbers():
    result = inspect(csv("country,1990,1991,1992", lambda n: (f"c{n % 60}", n, n * 2, n % 2)))
    assert (result.header, result.rows_read) == (True, ROWS)
    result = inspect(csv("150,4,setosa,other", lambda n: (n / 7, n % 5, n % 7, n % 2)))
    assert (result.header, result.header_is_sure) == (True, False)
    assert any("may be data" in sentence for sentence in result.warnings)


def test_the_choice_of_a_header_is_followed():
    assert names_of(BUYS, header=False)[0] == "column 1"
    data = HEADERLESS["iris"]
    assert names_of(data, header=True)[0] == "5.1"
    assert inspect(data, header=True).rows_read == ROWS - 1


def test_names_are_unique_and_never_empty():
    text = csv("x,,x,y", lambda n: (n * 1.5, n % 7, n % 5, n % 2))
    assert names_of(text) == ("x", "column 2", "x (2)", "y")
    text = csv('"a\nb", c ,y', lambda n: (n * 1.5, n % 7, n % 2))
    assert names_of(text) == ("a b", "c", "y")


# --- encodings and files -------------------------------------------------------------------

TEXTS = {
    "cp1252": ("ville,décision,âge\n", ["élevé", "à", "Orléans", "naïf"]),
    "gb18030": ("城市,年龄,购买\n", ["北京", "上海", "广州", "是", "否"]),
    "big5": ("城市,年齡,購買\n", ["臺灣", "高雄", "為什麼", "學校"]),
    "cp932": ("都市,年齢,購入\n", ["東京", "いいえ", "サッカー", "はい"]),
    "cp949": ("도시,나이,구매\n", ["서울", "부산", "아니오", "여자"]),
    "cp1251": ("город,возраст,покупка\n", ["Москва", "Казань", "да", "нет"]),
    "utf-8": ("ville,décision,âge\n", ["élevé", "北京", "да", "😀"]),
    "utf-16": ("ville,décision,âge\n", ["élevé", "北京", "да", "😀"]),
    "utf-16-le": ("ville,décision,âge\n", ["élevé", "à", "Orléans", "naïf"]),
    "utf-16-be": ("ville,décision,âge\n", ["élevé", "à", "Orléans", "naïf"]),
    "utf-32": ("ville,décision,âge\n", ["élevé", "北京", "да", "😀"]),
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_encodings(encoding):
    header, words = TEXTS[encoding]
    text = header + csv("", lambda n: (words[n % len(words)], n * 1.5, n % 2))
    table = read(text.encode(encoding))
    assert table.names == tuple(header.strip().split(","))
    assert set(table.columns[0].words) == set(words)


def test_windows_text_is_said():
    text = csv("décision,a,y", lambda n: ("né", n * 1.5, n % 2))
    result = inspect(text.encode("cp1252"))
    assert result.encoding == "Windows-1252"
    assert any("Windows-1252" in sentence for sentence in result.warnings)


def test_compressed_tables(tmp_path):
    path = tmp_path / "buys.csv.gz"
    path.write_bytes(gzip.compress(BUYS.encode()))
    assert wb.inspect_table(path).rows_read == ROWS
    path.write_bytes(gzip.compress(BUYS.encode())[:-200])
    with raises("upload.not_text", ".gz"):
        wb.inspect_table(str(path))
    with raises("upload.too_large", "20"):
        inspect(gzip.compress(b"a,b\n" + b"1,2\n" * 6_000_000, 1))


def excel():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    return content.getvalue()


@pytest.mark.parametrize(
    ("data", "code", "facts"),
    [
        (excel(), "upload.not_a_table", ["Excel", "CSV UTF-8"]),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "upload.not_a_table", ["Excel", "CSV UTF-8"]),
        (b"PAR1" + bytes(50), "upload.not_a_table", ["Parquet"]),
        (b"%PDF-1.4 ...", "upload.not_a_table", ["PDF"]),
        (b"<!DOCTYPE html><html>", "upload.not_a_table", ["web page"]),
        (b'[{"a": 1, "b": 2}]', "upload.not_a_table", ["JSON"]),
        (bytes(range(256)) * 20, "upload.not_text", []),
        (b"", "upload.empty", []),
        (b" \n\n", "upload.empty", []),
        (b"\xef\xbb\xbf", "upload.empty", []),
        (b"\xff\xfe", "upload.empty", []),
        (b"\xff\xfea", "upload.not_text", []),
        (b"\x80\x05K\x01.", "upload.not_text", []),
    ],
)
def test_other_files_are_one_sentence(data, code, facts):
    with raises(code, *facts) as caught:
        inspect(data)
    assert "\n" not in str(caught.value)


# --- categories, identifiers and the target ------------------------------------------------


def test_spellings_that_differ_in_case_and_spaces_are_one_category():
    words = ["yes", "Yes", "YES ", "yes", "no", "No", "no", " no"]
    text = csv("a,b,buys", lambda n: (n * 1.5, ["New York", "new  york"][n % 2], words[n % 8]))
    result = inspect(text)
    assert dict(result.target.classes) == {"no": 60, "yes": 60}
    assert column(text, "b").words == ("New York",) or column(text, "b").words == ("new  york",)
    assert any("capital letters" in w for w in result.warnings)


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("customer", lambda n: f"c-{n * 7919 % 10_000:05x}", "identifies rows"),
        ("customerID", lambda n: n * 7919 % 100_003, "identifies rows"),
        ("order_id", lambda n: 10_000 - n * 3, "identifies rows"),
        ("x", lambda n: n, "count the rows"),
        ("Unnamed: 0", lambda n: n + 1, "count the rows"),
        ("", lambda n: n + 1000, "count the rows"),
        ("same", lambda n: "x", "the same value"),
        ("same", lambda n: 7, "the same value"),
        ("nothing", lambda n: "", "empty"),
    ],
)
def test_columns_are_left_out_for_their_true_reason(name, cells, reason):
    text = csv(f"{name},b,y", lambda n: (cells(n), n * 31 % 17, n % 2))
    first = inspect(text).columns[0]
    assert not first.used
    assert reason in first.note


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("year", lambda n: 1900 + n),
        ("amount", lambda n: n * 7919 % 100_003),
        ("store_id", lambda n: n % 9),
        ("price", lambda n: n * 1.25),
        ("review", lambda n: f"this is the text number {n}"),
        ("city", lambda n: f"city {n % 60}"),
    ],
)
def test_columns_that_an_expert_would_use_are_used(name, cells):
    text = csv(f"{name},b,y", lambda n: (cells(n), n * 31 % 17, n % 2))
    assert report(text, name).used


def test_row_numbers_are_used_if_nothing_else_is_left():
    text = csv("t,y", lambda n: (n, n * 1.5 % 7))
    assert report(text, "t").used


def test_columns_that_are_mostly_empty():
    text = csv("deck,b,y", lambda n: (n % 30 if n % 5 == 0 else "", n * 1.5, n % 2))
    result = report(text, "deck")
    assert (result.used, result.missing) == (True, 96)
    assert "mostly empty" in result.note
    words = csv("deck,b,y", lambda n: ("ABC"[n % 3] if n % 5 == 0 else "", n * 1.5, n % 2))
    assert "a value of its own" in report(words, "deck").note
    assert inspect(text).rows_used == ROWS
    assert inspect(text, missing="leave_out").rows_used == 24


def test_whole_numbers_are_classes_or_a_number():
    text = csv("a,b,kids", lambda n: (n * 1.5, n % 7, 19 if n == 5 else n % 9))
    automatic, classes = inspect(text), inspect(text, as_number=False)
    assert automatic.target.as_number
    assert (automatic.target.can_be_number, automatic.target.can_be_classes) == (True, True)
    assert classes.target.rare == ("19",)
    assert any("“19”" in sentence for sentence in classes.warnings)
    assert inspect(text, as_number=False, leave_out_rare=True).rows_used == ROWS - 1
    assert not inspect(csv("a,b,q", lambda n: (n * 1.5, n % 7, n % 6))).target.as_number


def test_a_class_that_is_called_none():
    text = csv("a,b,disorder", lambda n: (n * 1.5, n % 7, ["None", "Apnea"][n % 2]))
    assert dict(inspect(text).target.classes) == {"Apnea": 60, "None": 60}


def test_rows_without_a_target_are_left_out_and_said():
    text = csv("a,b,y", lambda n: (n * 1.5, n % 7, "" if n % 10 == 0 else "pq"[n % 2]))
    result = inspect(text)
    assert (result.rows_read, result.rows_used) == (ROWS, 108)
    assert any("12 rows without a value of “y”" in sentence for sentence in result.warnings)


def test_the_share_of_the_majority_is_said():
    text = csv("a,b,fraud", lambda n: (n * 1.5, n % 7, int(n % 20 == 0)))
    assert any("95.0" in sentence and "“0”" in sentence for sentence in inspect(text).warnings)


@pytest.mark.parametrize(
    ("cells", "target", "as_number"),
    [
        (lambda n, y: ["no", "yes"][y], lambda n: n * 7 % 5 // 3, False),
        (lambda n, y: y * 10, lambda n: n * 7 % 5 // 3, False),
        (lambda n, y: "x" if y else "", lambda n: n * 7 % 5 // 3, False),
        (lambda n, y: y * 1.1 + 3, lambda n: n * 7919 % 1013 / 4, True),
        (lambda n, y: -(y**3), lambda n: n * 7919 % 1013 / 4, True),
    ],
)
def test_a_column_that_alone_tells_the_target_is_said(cells, target, as_number):
    text = csv("alive,b,y", lambda n: (cells(n, target(n)), n * 31 % 17, target(n)))
    result = inspect(text)
    assert result.target.as_number == as_number
    assert any("“alive” alone tells “y”" in sentence for sentence in result.warnings)
    assert not any("alone" in w for w in inspect(text, leave_out=("alive",)).warnings)


def test_strong_columns_are_no_leaks():
    rng = random.Random(0)
    text = csv("a,b,y", lambda n: (n % 2 if rng.random() < 0.95 else 1 - n % 2, n * 1.7, n % 2))
    assert not any("alone" in w for w in inspect(text).warnings)


# --- frames --------------------------------------------------------------------------------


class Series(list):
    def tolist(self):
        return list(self)


class Frame:
    """Like a DataFrame, as far as it is used."""

    def __init__(self, **columns):
        self.columns = [*columns]
        self.iloc = self
        self._columns = [Series(values) for values in columns.values()]

    def __getitem__(self, key):
        return self._columns[key[1]]


def test_frames_and_mappings():
    values = np.arange(ROWS) * 0.1
    city = [None if n % 10 == 0 else "ab"[n % 2] for n in range(ROWS)]
    when = [np.datetime64("2020-01-01") + n % 28 for n in range(ROWS)]
    columns = {"x": values, "city": city, "when": when, "y": [n % 2 == 0 for n in range(ROWS)]}
    for source in (columns, Frame(**columns)):
        table = read(source)
        assert [c.type for c in table.columns] == ["number", "category", "date", "category"]
        np.testing.assert_array_equal(table.columns[0].numbers, values)
        assert table.columns[1].missing == 12
        assert table.columns[3].words == ("False", "True")
        assert table.lines[0] == 2


@pytest.mark.parametrize("source", [7, None, [1, 2], {"a": [1]}, {"a": [1], "b": [1, 2]}])
def test_what_is_no_table(source):
    with pytest.raises(wb.WorkbenchError):
        wb.inspect_table(source)


def test_unknown_columns_are_named():
    with raises("table.unknown_column", "“kids”", "income"):
        inspect(BUYS, target="kids")
    with raises("table.unknown_column", "“kids”"):
        inspect(BUYS, leave_out=("kids",))


def test_a_single_column_is_read_and_not_learned_from():
    text = csv("review", lambda n: ("good" + ", very good" * (n % 4),))
    cells = read_cells(text.encode())
    assert cells.names == ("review",)
    assert cells.columns[0][3] == "good, very good, very good, very good"
    with raises("upload.one_column"):
        inspect(text)
