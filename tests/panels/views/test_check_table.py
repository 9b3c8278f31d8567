"""The texts of the check screen follow from the inspection."""

from __future__ import annotations

from workbench.custom.tables.inspection import (
    Cell,
    Choices,
    ColumnReport,
    Inspection,
    TargetReport,
)
from workbench.panels.views.check_table import check_table

AGE = ColumnReport("age", "number", 50, 3, 1, (Cell(1_009, "about 30"),), True, "filled in")
SHIP = ColumnReport("ship", "constant", 1, 0, 0, (), False, "every cell has the same value")
ALIVE = ColumnReport("alive", "category", 2, 0, 0, (), True, "")


def shown(choices=Choices(), **changes):  # noqa: B008  # frozen
    classes = {f"class {n}": 1_200 - n for n in range(20)}
    fields = {
        "rows_read": 23_810,
        "rows_used": 23_000,
        "encoding": "UTF-8",
        "delimiter": ";",
        "header": True,
        "header_is_sure": False,
        "columns": (AGE, SHIP, ALIVE),
        "target": TargetReport("survived", False, True, True, classes, ("class 19",)),
        "warnings": ("“age”: some cells", "“alive” alone predicts “survived”: leave it out?"),
        "leaks": ("alive",),
    }
    inspection = Inspection(**fields | changes)
    return check_table(
        "ship.csv", inspection, choices, ("age", "ship", "alive", "survived"), "UTF-8"
    )


def test_facts_and_counts():
    table = shown()
    assert table["facts"] == [
        "23,810 rows",
        "4 columns",
        "text encoding UTF-8",
        "columns separated by semicolons",
    ]
    assert table["used"] == "Uses 23,000 of 23,810 rows and 2 of 3 columns."
    assert table["counts"] == {"all": "3", "unused": "1", "odd": "1"}
    assert len(table["classes"]) == 12
    assert table["more_classes"] == "and 8 more classes"
    assert table["any_rare"]
    assert not table["header_is_sure"]


def test_cells_that_are_not_understood_have_their_line():
    age, ship, _alive = shown()["columns"]
    assert (age["missing"], age["unreadable"]) == ("3", "1")
    assert age["note"] == "“about 30” in line 1,009 · filled in"
    assert (ship["used"], ship["can_change"], ship["missing"]) == (False, False, "")


def test_only_a_warning_about_a_leak_offers_to_leave_the_column_out():
    assert [warning["leave_out"] for warning in shown()["warnings"]] == [None, "alive"]


def test_a_column_left_out_by_choice_can_be_used_again():
    out = ColumnReport("alive", "category", 2, 0, 0, (), False, "left out by choice")
    alive = shown(Choices(leave_out=("alive",)), columns=(AGE, SHIP, out))["columns"][2]
    assert (alive["used"], alive["can_change"], alive["note"]) == (False, True, "you leave it out")
