"""The layout of tables as users really have them: lines, names, encodings, targets and leaks."""

from __future__ import annotations

import gzip
import io
import zipfile

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
    "lines in quotes": '"' + BUYS.strip().replace("\n", '"\n"') + '"',
    "lines in quotes with quotes": '"'
    + BUYS.strip().replace("yes", '""yes""').replace("\n", '"\n"')
    + '"',
    "formulas": BUYS.replace(",yes", ',="yes"').replace(",no", ',="no"'),
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
    text = csv("a,b,y", lambda n: (n, n % 7, n % 2) if (n + 1) % 4 else (n, n % 2))
    with raises("upload.row_length", 5, 2, 3):
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


@pytest.mark.parametrize(
    "cell",
    ["call f('a','b')", "['Drama','Horror']", "'a','b'", "say 'x', then 'y','z'", "o','clock"],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_apostrophes_in_quoted_cells_quote_nothing(cell, delimiter):
    rows = [*(f"good, number; {n}" for n in range(99)), cell, cell]
    text = csv(
        "id,text,y", lambda n: (n, f'"{rows[n % 101]}"', n % 2), delimiter=delimiter
    ).replace("id,text,y", delimiter.join(("id", "text", "y")))
    table = read(text.encode())
    assert table.names == ("id", "text", "y")
    assert (len(table), table.columns[1].cells[99]) == (ROWS, cell)
    assert {*table.columns[2].cells} == {"0", "1"}


ORANGE = {
    "words": ("continuous,discrete,string,discrete", ",class,meta,"),
    "letters": ("c,d,string,d", ",class,meta,"),
    "letters for roles": ("C,D,S,D", ",c,m,"),
    "values": ("continuous,no yes,string,a b c", ",class,meta,"),
    "ignored": ("c,d,s,d", ",class,ignore,"),
}


@pytest.mark.parametrize("name", ORANGE)
def test_lines_of_types_and_roles_are_no_rows(name):
    text = csv("a,buys,note,b", lambda n: (n * 1.5, "yn"[n % 2], f"n{n % 9}", "abc"[n % 3]))
    text = text.replace(",y,", ",yes,").replace(",n,", ",no,")
    result = inspect(text.replace("\n", "\n" + "\n".join(ORANGE[name]) + "\n", 1))
    assert (result.rows_read, result.header, result.target.name) == (ROWS, True, "buys")
    assert [c.type for c in result.columns] == ["number", "category", "category"]
    assert [c.used for c in result.columns] == [True, False, True]
    assert "the file marks it as" in result.columns[1].note
    assert any("Lines 2 and 3" in sentence for sentence in result.warnings)


def test_empty_roles_and_roles_that_are_values():
    rows = csv("a,b,y", lambda n: (n * 1.5, "dc"[n % 2], "no"))
    types = rows.replace("\n", "\ncontinuous,d,class\n,,class\n", 1)
    assert inspect(types, target="b").rows_read == ROWS
    assert inspect(rows.replace("\n", "\nc,d,d\n,,\n", 1), target="b").rows_read == ROWS
    values = csv("a,b,y", lambda n: ("cd"[n % 2], "dc"[n % 2], "dc"[n // 2 % 2]))
    assert inspect(values).rows_read == ROWS


def test_apostrophes_in_cells_without_quotes_are_letters():
    lists = csv("a\tb\ty", lambda n: (n, f"['Drama','Horror',{n}]", n % 2), delimiter="\t")
    assert read(lists.encode()).columns[1].cells[3] == "['Drama','Horror',3]"
    words = csv("a\tb\ty", lambda n: (n, ["'tis", "dogs'", "'so'"][n % 3], n % 2), delimiter="\t")
    assert read(words.encode()).columns[1].words == ("'so'", "'tis", "dogs'")


def test_cells_in_single_quotes_that_hold_delimiters():
    text = csv("a,b,y", lambda n: (n * 1.5, f"'it''s, \"{n % 3}\"'", n % 2))
    assert column(text, "b").words == ('it\'s, "0"', 'it\'s, "1"', 'it\'s, "2"')


def test_cells_with_delimiters_and_line_ends():
    text = csv("a;b;y", lambda n: (f'"x;{n % 3}\n""q"""', n, n % 2), delimiter=";")
    assert column(text, "a").words[0] == 'x;0\n"q"'


# --- names or data -------------------------------------------------------------------------


def iris(n):
    return 5.1 + n % 9 / 10, 3.5 - n % 7 / 10, 1.4, f"Iris-{'abc'[n % 3]}"


HEADERLESS = {
    "iris": csv("", iris),
    "numbers": csv("", lambda n: (n % 9, n * 1.5, n % 2)),
    "numbers that count": csv("", lambda n: (n, n + 1, n + 2)),
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


def test_a_single_column_is_read_and_not_learned_from():
    text = csv("review", lambda n: ("good" + ", very good" * (n % 4),))
    cells = read_cells(text.encode())
    assert cells.names == ("review",)
    assert cells.columns[0][3] == "good, very good, very good, very good"
    with raises("upload.one_column"):
        inspect(text)


def test_a_damaged_letter_does_not_change_the_encoding():
    data = csv("a,b,y", lambda n: (n * 1.1, "né", n % 2)).encode() + b"1,\xff,1\n"
    assert "né" in read(data).columns[1].words
    assert any("UTF-8 with errors" in sentence for sentence in inspect(data).warnings)


def test_columns_of_spaces_with_a_tab_before_the_last():
    text = csv("", lambda n: (f'{n * 0.5}  {n % 7}  {n % 3}\t"car {n % 9}"',))
    assert len(names_of(text)) == 4


# --- central Europe ------------------------------------------------------------------------

CENTRAL = {
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "Czech names": "Dvořák, Novák, Černý, Růžička, Němec, Šimek",
    "Polish": "Łódź Kraków Gdańsk Częstochowa",
    "Polish names": "Wałęsa; Żółkiewski",
    "Croatian": "Šimić Đurđević Kovačić",
    "Hungarian": "Győr Szűcs Erdős Pálfű",
    "Romanian": "Bucureşti Iaşi Timişoara Târgu Mureş",
}
WESTERN = {
    "French": "«Où est l'œuvre?» à l'été, Noël, ça: m³, 5 £",
    "Spanish": "¿Qué año? 1ª, 2º: español",
    "Portuguese": "não, três corações",
    "German": "größer, Österreich, 20 €, 5 µm, m²",
    "Danish": "Sørensen, Åse, Ærø",
    "English": "£price, naïve café – £5",
    "Finnish": "Mäkelä, šakki, Öljy",
}


def text_with(words):
    return csv("a,word,y", lambda n: (n * 1.5, f'"{words} {n % 7}"', n % 2))


@pytest.mark.parametrize("name", CENTRAL)
def test_central_european_text_has_its_letters(name):
    table = read(text_with(CENTRAL[name]).encode("cp1250"))
    assert table.columns[1].cells[0] == f"{CENTRAL[name]} 0"
    assert table.encoding == "Windows-1250"


def test_polish_text_of_other_systems_has_its_letters():
    table = read(text_with(CENTRAL["Polish"] + " wąskość").encode("iso8859_2"))
    assert (table.columns[1].cells[0][:4], table.encoding) == ("Łódź", "ISO-8859-2")


@pytest.mark.parametrize("name", WESTERN)
def test_western_european_text_keeps_its_letters(name):
    table = read(text_with(WESTERN[name]).encode("cp1252"))
    assert table.columns[1].cells[0] == f"{WESTERN[name]} 0"
    assert table.encoding == "Windows-1252"


@pytest.mark.parametrize("odd", [b"caf\x81", b"\x90\x90\x81\x8d", b"x\xe4\x81y", b"\x81\xff\x88"])
def test_text_with_bytes_of_no_letter_is_read(odd):
    table = read(text_with("word").encode().replace(b"word 3", odd))
    assert len(table) == ROWS
