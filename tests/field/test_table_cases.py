"""Tables as users really have them: what is read, what is left out, and what is said about it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import workbench as wb
from workbench.custom.tables.inspection import Choices
from workbench.custom.tables.read import read

ROWS = 120


def csv(header, row, rows=ROWS, delimiter=","):
    """Return a table as text: `row` returns the cells of row n."""
    lines = [header, *(delimiter.join(map(str, row(n))) for n in range(rows))]
    return "\n".join(line for line in lines if line) + "\n"


def buys(n):
    """Return income, age and whether a customer buys, by a known rule."""
    income, age = 20_000 + 7919 * n % 80_000, 18 + 31 * n % 60
    return income, age, "yes" if income + 300 * age > 66_000 else "no"


BUYS = csv("income,age,buys", buys)


def column(text, name, **choices):
    """Return one column of a table."""
    data = text if isinstance(text, bytes) else text.encode()
    return next(c for c in read(data, Choices(**choices)).columns if c.name == name)


def report(text, name, **options):
    """Return the report of one column."""
    data = text if isinstance(text, bytes) else text.encode()
    return next(c for c in wb.inspect_table(data, **options).columns if c.name == name)


# --- cells that are not understood ---------------------------------------------------------


@pytest.mark.parametrize(
    "odd", ["12000 approx", "1133 - 1384", "about 9", "x", "2020-01-01", "1e999"]
)
def test_one_odd_cell_does_not_drop_a_column(odd):
    lines = BUYS.splitlines()
    lines[8] = f"{odd},{lines[8].split(',', 1)[1]}"
    result = wb.inspect_table("\n".join(lines).encode())
    income = result.columns[0]
    assert (income.type, income.used, income.unreadable, income.missing) == ("number", True, 1, 0)
    assert [(cell.line, cell.text) for cell in income.examples] == [(9, odd)]
    assert f"119 of 120 cells are numbers; “{odd}” (line 9)" in result.warnings[0]
    values = column("\n".join(lines), "income").numbers
    assert np.flatnonzero(np.isnan(values)).tolist() == [7]
    assert np.delete(values, 7).tolist() == [buys(n)[0] for n in range(ROWS) if n != 7]


def test_the_first_three_odd_cells_are_shown_with_their_lines():
    text = csv("a,b,y", lambda n: (f"?{n}" if n % 25 == 4 else n * 1.5, n % 7, "pq"[n % 2]))
    result = report(text, "a")
    assert (result.type, result.unreadable) == ("number", 5)
    assert [(c.line, c.text) for c in result.examples] == [(6, "?4"), (31, "?29"), (56, "?54")]


def test_lines_are_those_where_rows_begin():
    text = csv(
        "note,a,y", lambda n: (f'"two\nlines {n % 3}"', "bad" if n == 10 else n, "pq"[n % 2])
    )
    assert [cell.line for cell in report(text, "a").examples] == [2 + 2 * 10]
    text = "\n\n# a comment\n\n" + csv(
        "a,b,y", lambda n: ("bad" if n == 3 else n * 2, n % 7, n % 2)
    )
    assert [cell.line for cell in report(text, "a").examples] == [4 + 1 + 1 + 3]


def test_a_few_words_among_numbers_are_missing_and_many_are_categories():
    text = csv("days,b,y", lambda n: ("never" if n % 3 == 0 else n, n % 7, n % 2))
    result = report(text, "days")
    assert (result.type, result.unreadable) == ("number", 40)
    text = csv("size,b,y", lambda n: (["1", "2", "3+", "L", "XL"][n % 5], n % 7, n % 2))
    assert report(text, "size").type == "category"


@pytest.mark.parametrize(
    "word", ["", "NA", "n/a", "-", "--", "None", "#N/A", "#DIV/0!", "#NV", "NaN", "null", "?", "."]
)
def test_words_for_missing_values(word):
    cells = [word if n % 10 == 3 else str(n * 0.25) for n in range(ROWS)]
    result = column(csv("a,b,y", lambda n: (cells[n], n % 7, n % 2)), "a")
    assert (result.type, result.missing, result.unreadable) == ("number", 12, 0)
    expected = [math.nan if cell == word else float(cell) for cell in cells]
    np.testing.assert_array_equal(result.numbers, expected)


# --- numbers -------------------------------------------------------------------------------

SPELLINGS = {
    "thousands next to small numbers": (["2,379", "342", "950", "1,200"], [2379, 342, 950, 1200]),
    "German": (["1.234,56", "7,5", "12.000"], [1234.56, 7.5, 12000]),
    "French": (["1 234,5", "7", "12\u00a0000", "3\u202f000,25"], [1234.5, 7, 12000, 3000.25]),
    "Swiss": (["1'234.50", "7.5", "12’000"], [1234.5, 7.5, 12000]),
    "Indian": (["12,34,567", "1,234", "56"], [1234567, 1234, 56]),
    "percent": (["12.5%", "7 %", "100%"], [12.5, 7, 100]),
    "currency": (["$1,200.50", "-$3", "$ 7"], [1200.5, -3, 7]),
    "currency after": (["1.200,50 €", "3 €", "-7,25 €"], [1200.5, 3, -7.25]),
    "codes of currencies": (["CHF 1'200", "CHF 7.50", "CHF 9"], [1200, 7.5, 9]),
    "accounting": (["(1,200)", "300", "(7)"], [-1200, 300, -7]),
    "signs": (["+5", "−7", "3-"], [5, -7, -3]),
    "exponents": (["1.5e3", "2E-2", "7"], [1500, 0.02, 7]),
    "units": (["12 kg", "7.5 kg", "100kg"], [12, 7.5, 100]),
    "rates": (["12.5 km/h", "7 km/h", "90 km/h"], [12.5, 7, 90]),
    "magnitudes": (["1.5k", "2M", "300"], [1500, 2e6, 300]),
    "footnotes": (["12.5*", "7", "9[1]"], [12.5, 7, 9]),
    "three decimals": (["0.125", "1.250", "13.500"], [0.125, 1.25, 13.5]),
    "without a leading zero": ([".5", "-.25", "3."], [0.5, -0.25, 3]),
    "one decimal place decides": (["2,379", "342", "3,5"], [2.379, 342, 3.5]),
    "four digits decide": (["2,379", "1042", "12,5"], [2.379, 1042, 12.5]),
}


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("name", SPELLINGS)
def test_numbers_are_read_by_the_convention_of_their_column(name, delimiter):
    cells, values = SPELLINGS[name]
    text = csv(
        delimiter.join("aby"), lambda n: (cells[n % len(cells)], n % 7, n % 2), delimiter=delimiter
    )
    result = column(text, "a")
    assert result.type == "number"
    assert result.numbers.tolist() == [values[n % len(values)] for n in range(ROWS)]


def test_ambiguous_thousands_are_decided_by_other_columns_and_said():
    cells = ["1,234", "5,678"]
    text = csv("a;b;y", lambda n: (cells[n % 2], f"{n},5", n % 2), delimiter=";")
    assert column(text, "a").numbers[0] == 1.234
    text = csv("a;b;y", lambda n: (cells[n % 2], f"{n}.5", n % 2), delimiter=";")
    assert column(text, "a").numbers[0] == 1234
    text = csv("a;b;y", lambda n: (cells[n % 2], n % 5, n % 2), delimiter=";")
    result = wb.inspect_table(text.encode())
    assert any("“1,234” is read as 1,234; it could also be 1.234" in w for w in result.warnings)


def test_codes_with_leading_zeros_are_categories():
    text = csv("zip,b,y", lambda n: (f"{n % 20:05d}", n % 7, n % 2))
    assert column(text, "zip").words[0] == "00000"


def test_underscores_and_versions_are_no_numbers():
    text = csv("a,b,y", lambda n: (f"{n % 4}_0", f"1.{n % 3}.2", n % 2))
    assert [column(text, name).type for name in "ab"] == ["category", "category"]


# --- dates ---------------------------------------------------------------------------------

DAY = 86_400
DATES = {
    "ISO": (["2020-02-29", "1981-01-01"], [18321, 4018]),
    "ISO with time": (["2020-02-29T06:00:00", "1981-01-01T12:00:00"], [18321.25, 4018.5]),
    "ISO with zone": (["2020-02-29T06:00:00Z", "1981-01-01T12:00:00Z"], [18321.25, 4018.5]),
    "several zones": (["2020-02-29 06:00+06:00", "1981-01-01 12:00-12:00"], [18321, 4019]),
    "fractions": (["2020-02-29 00:00:00.000", "1981-01-01 12:00:00.000"], [18321, 4018.5]),
    "day first": (["29/02/2020", "01/01/1981"], [18321, 4018]),
    "month first": (["02/29/2020", "01/01/1981"], [18321, 4018]),
    "points": (["29.2.2020", "1.1.1981"], [18321, 4018]),
    "short years": (["29.02.20", "01.01.81"], [18321, 4018]),
    "half days": (["2/29/2020 6:00 PM", "1/1/1981 12:00 AM"], [18321.75, 4018]),
    "names": (["29 Feb 2020", "1 January 1981"], [18321, 4018]),
    "names first": (["February 29, 2020", "Jan 1, 1981"], [18321, 4018]),
    "weekdays": (["Sat, 29 Feb 2020", "Thu, 1 Jan 1981"], [18321, 4018]),
    "Oracle": (["29-FEB-20", "01-JAN-81"], [18321, 4018]),
    "German": (["29. Februar 2020", "1. Januar 1981"], [18321, 4018]),
    "French": (["29 février 2020", "1 janvier 1981"], [18321, 4018]),
    "Chinese": (["2020年2月29日", "1981年1月1日"], [18321, 4018]),
    "compact": (["20200229", "19810101"], [18321, 4018]),
    "slashes": (["2020/2/29", "1981/01/01"], [18321, 4018]),
    "months": (["2020-02", "1981-01"], [18293, 4018]),
    "month and year": (["Feb 2020", "Jan 1981"], [18293, 4018]),
    "quarters": (["2020Q1", "1981-Q1"], [18262, 4018]),
    "server logs": (["29/Feb/2020:06:00:00 +0000", "01/Jan/1981:00:00:00 +0000"], [18321.25, 4018]),
    "SQL Server": (["Feb 29 2020  6:00PM", "Jan 1 1981 12:00AM"], [18321.75, 4018]),
    "times": (["06:00", "18:30:00"], [0.25, 18.5 / 24]),
}


@pytest.mark.parametrize("name", DATES)
def test_dates_in_the_usual_spellings(name):
    cells, days = DATES[name]
    text = csv("when,b,y", lambda n: (f'"{cells[n % 2]}"', n % 7, n % 2))
    result = column(text, "when")
    assert result.type == "date"
    assert result.numbers[:2].tolist() == [day * DAY for day in days]


@pytest.mark.parametrize(
    "years",
    [range(1936, 2006), range(1901, 1999), range(1999, 2030), [1955], [2020], [2000, 1999, 1970]],
)
def test_years_of_two_digits_span_as_few_years_as_possible(years):
    text = csv("born,b,y", lambda n: (f"15/06/{years[n % len(years)] % 100:02d}", n % 7, n % 2))
    shown = column(text, "born").numbers[: len(years)].astype("datetime64[s]").astype(object)
    assert {day.year for day in shown} == {years[n % len(years)] for n in range(len(shown))}


def test_an_undecided_order_of_day_and_month_is_said():
    text = csv("when,b,y", lambda n: (f"{n * 7 % 12 + 1}/{n * 5 % 12 + 1}/2020", n % 7, n % 2))
    assert "could also be" in "".join(wb.inspect_table(text.encode()).warnings)
    assert not column(text, "when").format.day_first
    text = text.replace(",", ";")
    assert column(text, "when").format.day_first


def test_dates_that_increase_decide_the_order():
    first = np.datetime64("2020-01-01")
    days = [(first + n % 12 + 31 * (n // 12)).astype(object) for n in range(ROWS)]
    days = [day for day in days if day.day <= 12]
    text = csv("when,b,y", lambda n: (f"{days[n]:%d/%m/%Y}", n % 7, n % 2), len(days))
    values = column(text, "when").numbers
    assert values.tolist() == [np.datetime64(day, "s").astype(float) for day in days]


def test_one_odd_date_is_missing():
    text = csv("when,b,y", lambda n: ("soon" if n == 5 else f"2020-01-{n % 28 + 1:02d}", n, n % 2))
    result = report(text, "when")
    assert (result.type, result.unreadable, result.examples[0].line) == ("date", 1, 7)


def test_numbers_with_points_are_no_dates():
    text = csv("rate,b,y", lambda n: (f"1.{1600 + n}", n % 7, n % 2))
    assert column(text, "rate").type == "number"


def test_a_unit_in_a_part_of_the_cells():
    text = csv("age,b,y", lambda n: (f"{n % 60} years" if n % 2 else n % 60, n % 7, n % 2))
    assert column(text, "age").numbers.tolist() == [n % 60 for n in range(ROWS)]


def test_the_unit_of_most_rows_is_that_of_the_column():
    text = csv("km,b,y", lambda n: (f"{n} {'km/kg' if n % 40 == 0 else 'kmpl'}", n % 7, n % 2))
    assert (report(text, "km").type, report(text, "km").unreadable) == ("number", 3)


def test_durations_and_phone_numbers():
    text = csv("t,phone,y", lambda n: (f"{n % 60}:{n % 60:02d}", f"+49 170 10{n:05d}", n % 2))
    assert column(text, "t").numbers[59] == 59 * 3600 + 59 * 60
    assert column(text, "phone").type == "identifier"


def test_numbers_that_may_stand_for_missing_values_are_said():
    text = csv("a,b,y", lambda n: (-999 if n % 5 == 0 else n * 1.1, n % 7, n % 2))
    assert any("-999 occurs 24 times" in w for w in wb.inspect_table(text.encode()).warnings)
    text = csv("a,b,y", lambda n: (999 if n % 5 == 0 else n * 9.1, n % 7, n % 2))
    assert not any("occurs" in w for w in wb.inspect_table(text.encode()).warnings)


def test_the_only_negative_number_of_a_column_may_stand_for_a_missing_value():
    def row(n):
        return (-200 if n % 10 == 0 else 7 + n, -200 if n % 15 == 0 else n / 4, n % 9 - 4, n % 2)

    warnings = wb.inspect_table(csv("a,b,c,y", row).encode()).warnings
    assert [w for w in warnings if "occurs" in w] == [
        (
            "a, b: -200 occurs 20 times, unlike all other values: if it stands for a missing "
            "value, leave these cells empty."
        )
    ]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_clear_numbers_are_read_without_a_remark(delimiter):
    cells = ['"1,200"', "950", '"12,345"', "17"]
    text = csv(
        delimiter.join("aby"), lambda n: (cells[n % 4], n % 7, n % 3 % 2), delimiter=delimiter
    )
    result = wb.inspect_table(text.encode())
    assert result.warnings == ()
    assert column(text, "a").numbers[0] == 1200
