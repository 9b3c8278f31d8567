"""Why a column of numbers is not read as numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from workbench import formatting
from workbench.custom.tables import numbers
from workbench.custom.tables.missing import is_missing
from workbench.custom.uploads.splits import quoted
from workbench.i18n import _

MIN_SAME = 0.8
"""The share of cells that hold several numbers, or one, in such a column."""
MIN_MOSTLY = 0.5
MAX_UNITS = 3
_NUMBER = re.compile(r"[-+−]?\d[\d.,' ]*")
_SEVERAL = re.compile(r"[-+−]?\d[\d.,]*(?:\s*(?:[/x×:;|±]|to)\s*[-+−]?\d[\d.,]*)+\s*[^\W\d]{0,6}")


def reason(cells: Sequence[str]) -> str:
    """Return why cells that almost all differ are not read as numbers; "" for other columns."""
    values = [cell for cell in dict.fromkeys(cells) if not is_missing(cell)]
    several = [cell for cell in values if _SEVERAL.fullmatch(cell)]
    if len(several) >= MIN_SAME * len(values):
        return _("{cell} is not a number: split it into columns of one number each").format(
            cell=quoted(several[0])
        )
    units = numbers.units(values)
    if len(units) > 1 and numbers.share(values) >= MIN_SAME:
        return _("its numbers have different units, such as {cells}: write all in one unit").format(
            cells=formatting.names([*map(quoted, units.values())], MAX_UNITS)
        )
    single = [cell for cell in values if _NUMBER.fullmatch(cell)]
    separated = [cell for cell in single if re.search("[.,]", cell)]
    if len(single) < MIN_MOSTLY * len(values) or len(separated) < MIN_MOSTLY * len(single):
        return ""
    if len(single) >= MIN_SAME * len(values) and _have_several_conventions(single):
        return _(
            "its numbers have different separators, such as {cell}: write all of them in one way"
        ).format(cell=quoted(separated[0]))
    return _("{share} of its values are numbers, but {cell} is not").format(
        share=formatting.percent(len(single) / len(values), 0),
        cell=quoted(next(cell for cell in values if not _NUMBER.fullmatch(cell))),
    )


def _have_several_conventions(cells: Sequence[str]) -> bool:
    """Whether no decimal and thousands separators fit all of these numbers."""
    best = numbers.guess(dict.fromkeys(cells, 1), ";").format
    return any(map(math.isnan, numbers.parse(cells, best)))
