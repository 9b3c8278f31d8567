"""Numbers in text: the separators of a column, from all its cells, and its values.

The digits of each cell are replaced by one sign. A column has few such shapes, so each shape is
examined once, however many cells it has.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workbench.custom.tables.column import Format

MAX_NUMBER = 1e100
"""Larger numbers are not understood: their squares would be infinite."""
MAX_DIGITS = 16
"""Longer whole numbers are rounded in float64."""
MAX_LENGTH = 60
"""Longer cells are not numbers."""
SEPARATORS = ((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "))
APOSTROPHES = ((".", "'"), (",", "'"))
CONVENTIONS = (*SEPARATORS, *APOSTROPHES)
"""Decimal and thousands separators; the first one that fits most cells is chosen."""
CURRENCIES = r"[$€£¥₹₽₩₺฿]|R\$|US\$|USD|EUR|GBP|CHF|JPY|CNY|RMB|INR|SEK|NOK|DKK|Rs\.?|kr\.?"
UNIT = r"%|°[CF]?|[^\W\d_][^\W\d_²³/°]{0,11}[²³]?(?:/[^\W\d_]{1,8}[²³]?)?"
MIN_UNIT = 0.9
"""The share of the numbers with a unit that must have the same one."""
MAX_WITHOUT_UNIT = 0.8
"""The share of the numbers that may have no unit then."""
MAGNITUDES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "bn": 1e9}
SCALED = "k, M, B"
"""The unit of a column in which these letters multiply some numbers."""
MIN_SEPARATED = 5
"""Numbers with a separator, next to integers, that make it a separator of thousands."""

_ZEROS = "٠۰०০੦૦୦௦౦೦൦๐໐༠၀០０"
_FOREIGN_DIGITS = "".join(chr(ord(zero) + n) for zero in _ZEROS for n in range(10))  # as float()
_MARKS = {
    "٫": ".",
    "٬": ",",
    "％": "%",
    "\u00a0": " ",
    "\u202f": " ",
    "\u2009": " ",
    "’": "'",
    "‘": "'",
    "`": "'",
}
_SPACES = str.maketrans(_MARKS)
_DIGITS = str.maketrans(
    {**dict.fromkeys("0123456789" + _FOREIGN_DIGITS, "1"), "\0": "0", "−": "-", "–": "-", **_MARKS}
)
_FORTRAN = str.maketrans("Dd", "ee")
"""Exponents of double precision, as in 1.5D+03."""
_LONE_ZERO = re.compile(r"(?<![\d.,' \u00a0\u202f’])0(?=[.,])")
_has_mark = re.compile("[\n\0]").search
_SHAPE = re.compile(
    rf"'?(?P<open>\()?(?P<sign>[-+]?)\s*(?P<before>{CURRENCIES})?\s*(?P<inner>\()?(?P<sign2>[-+]?)"
    rf"(?P<body>[0-9.,](?:[0-9.,' ]*[0-9.,])?)(?!(?<=[.,])-)(?:[.,]-{{1,2}})?"
    rf"(?P<exponent>[eE][-+]?1+|[dD][-+]1+)?"
    rf"\s*(?P<after>{CURRENCIES}|{UNIT})?\s*(?P<trailing>-)?(?P<close>\))?(?:[*†‡]{{1,3}}|\[1+\])?"
)


def _body(decimal: str, thousands: str) -> re.Pattern[str]:
    point = re.escape(decimal)
    if not thousands:
        return re.compile(rf"[01]+(?:{point}1*)?|{point}1+")
    mark = re.escape(thousands)
    groups = rf"1{{1,3}}(?:{mark}111)+"
    if thousands == ",":  # also the groups of India: 12,34,567
        groups = rf"(?:{groups}|1{{1,2}}(?:,11)+,111)"
    return re.compile(rf"(?:{groups}|[01]+)(?:{point}1*)?|{point}1+")


_BODIES = {convention: _body(*convention) for convention in CONVENTIONS}


@dataclass(frozen=True)
class _Shape:
    """A shape that may be a number: where its digits are, and what surrounds them."""

    body: str
    span: tuple[int, int]
    unit: str
    negative: bool


@dataclass(frozen=True)
class NumberGuess:
    """How the cells of a column may be numbers.

    Attributes
    ----------
    format : Format
        The separators and the unit that fit most cells.
    alternative : Format, optional
        Other separators that fit as many cells, with other values.
    decimal : str
        The decimal separator, if some cell has only one reading of it; else empty.
    is_sure : bool
        Whether the cells leave hardly any doubt; only other columns may decide otherwise.
    """

    format: Format
    alternative: Format | None = None
    decimal: str = ""
    is_sure: bool = False


def guess(cells: Mapping[str, int], delimiter: str) -> NumberGuess:
    """Return the separators and the unit that fit most cells.

    Parameters
    ----------
    cells
        How often each different cell occurs.
    delimiter
        The delimiter of the file.
    """
    counts: Counter[str] = Counter()
    for shape, count in zip(_shapes([*cells]), cells.values(), strict=True):
        counts[shape] += count
    parsed = {shape: _parsed(shape) for shape in counts}
    numbers = {shape: counts[shape] for shape, part in parsed.items() if part is not None}
    unit = _unit(parsed, numbers)
    fits = {
        convention: sum(
            count
            for shape, count in numbers.items()
            if _separators(parsed[shape], Format("number", *convention, unit))
        )
        for convention in CONVENTIONS
    }
    best = [c for c in CONVENTIONS if fits[c] == max(fits.values())]
    formats = {c: Format("number", *c, unit) for c in best}
    bodies = {part.body: numbers[shape] for shape, part in parsed.items() if part is not None}
    if (",", "") in best and (".", ",") in best and (".", "") not in best:
        is_sure = delimiter == "," or _has_small_integers(bodies, ",")
        return NumberGuess(formats[".", ","], formats[",", ""], is_sure=is_sure)
    if (".", "") in best and (",", ".") in best and (",", "") not in best:
        point, mark = formats[".", ""], formats[",", "."]
        if delimiter != "," and _has_small_integers(bodies, "."):
            return NumberGuess(mark, point)
        return NumberGuess(point, mark, is_sure=delimiter == ",")
    decimals = {decimal for decimal, _thousands in best}
    return NumberGuess(formats[best[0]], decimal=decimals.pop() if len(decimals) == 1 else "")


def mixed(best: Format) -> Format:
    """Return the format of numbers with the unit of `best`, each with separators of its own."""
    return Format("number", unit=best.unit, mixed=True)


def share(cells: Sequence[str]) -> float:
    """Return the share of `cells` that are numbers with some separators and unit."""
    return sum(_parsed(shape) is not None for shape in _shapes(cells)) / max(1, len(cells))


def units(cells: Sequence[str]) -> dict[str, str]:
    """Return the units, and the currencies, of the numbers in `cells`, each with its first cell."""
    cell_of: dict[str, str] = {}
    firsts: dict[str, str] = {}
    for cell, shape in zip(cells, _shapes(cells), strict=True):
        firsts.setdefault(shape, cell)
    for shape, cell in firsts.items():
        match = _SHAPE.fullmatch(shape)
        unit = (match["before"] or match["after"] or "") if match else ""
        if unit:
            cell_of.setdefault(unit, cell)
    return cell_of


def currencies(cells: Sequence[str]) -> dict[str, str]:
    """Return the currencies of the numbers in `cells`, each with its first cell."""
    return {unit: cell for unit, cell in units(cells).items() if re.fullmatch(CURRENCIES, unit)}


def parse(cells: Sequence[str], format: Format) -> list[float]:
    """Return the numbers in `cells`; NaN where a cell is not a number in this format.

    Examples
    --------
    >>> parse(["1.234,5", "-7", "12 approx"], Format("number", ",", "."))
    [1234.5, -7.0, nan]
    """
    try:
        if format == Format("number") and not any("_" in cell for cell in cells):
            return [_finite(value) for value in map(float, cells)]
    except ValueError:
        pass
    readers: dict[str, Callable[[str], float] | None] = {}
    values = []
    for cell, shape in zip(cells, _shapes(cells), strict=True):
        if shape not in readers:
            readers[shape] = _reader(_parsed(shape), format)
        reader = readers[shape]
        values.append(math.nan if reader is None else reader(cell))
    return values


def _shapes(cells: Sequence[str]) -> list[str]:
    """Return the cells with each digit replaced by 1, and a zero before the first separator by 0.

    A shape is as long as its cell. Cells that are too long have the shape "".
    """
    if not cells:
        return []
    text = "\n".join(cells)
    is_clean = text.count("\n") == len(cells) - 1 and "\0" not in text
    if not is_clean or max(map(len, cells)) > MAX_LENGTH:
        text = "\n".join("" if len(c) > MAX_LENGTH or _has_mark(c) else c for c in cells)
    return _LONE_ZERO.sub("\0", text).translate(_DIGITS).split("\n")


def _parsed(shape: str) -> _Shape | None:
    match = _SHAPE.fullmatch(shape)
    if match is None:
        return None
    opened = (match["open"] or "") + (match["inner"] or "")
    if len(opened) != len(match["close"] or ""):
        return None
    signs = match["sign"] + match["sign2"] + (match["trailing"] or "")
    if len(signs) > 1 or "1" not in match["body"].replace("0", "1"):
        return None
    end = match.end("exponent") if match["exponent"] else match.end("body")
    unit = match["after"] or ""
    return _Shape(
        match["body"],
        (match.start("body"), end),
        "" if re.fullmatch(CURRENCIES, unit) else unit,
        signs == "-" or bool(opened),
    )


def _unit(parsed: Mapping[str, _Shape | None], numbers: Mapping[str, int]) -> str:
    """Return the unit that almost all numbers have, or `SCALED`, or an empty string."""
    units: Counter[str] = Counter()
    for shape, count in numbers.items():
        part = parsed[shape]
        units[part.unit if part is not None else ""] += count
    if len(units) > 1 and all(unit in MAGNITUDES or not unit for unit in units):
        return SCALED
    total, without = units.total(), units.pop("", 0)
    unit, count = units.most_common(1)[0] if units else ("", 0)
    is_shared = count >= MIN_UNIT * (total - without) and without <= MAX_WITHOUT_UNIT * total
    return unit if is_shared else ""


def _separators(part: _Shape | None, format: Format) -> tuple[str, str] | None:
    """Return the separators with which a shape is read, or None if it is not a number."""
    if part is None or not (
        part.unit in {"", "%", format.unit} or (format.unit == SCALED and part.unit in MAGNITUDES)
    ):
        return None
    allowed = CONVENTIONS if format.mixed else ((format.decimal, format.thousands),)
    fitting = [c for c in allowed if _BODIES[c].fullmatch(part.body)]
    values = {_without_separators(part.body, *convention) for convention in fitting}
    return fitting[0] if len(values) == 1 else None


def _without_separators(digits: str, decimal: str, thousands: str) -> str:
    """Return digits as `float` reads them."""
    if not digits.isascii():
        digits = digits.translate(_SPACES)
    if thousands:
        digits = digits.replace(thousands, "")
    if decimal == ",":
        digits = digits.replace(",", ".")
    return digits.translate(_FORTRAN)


def _reader(part: _Shape | None, format: Format) -> Callable[[str], float] | None:
    """Return a function that reads the cells of one shape, or None."""
    separators = _separators(part, format)
    if part is None or separators is None:
        return None
    (start, end), factor = (
        part.span,
        MAGNITUDES[part.unit] if format.unit == SCALED and part.unit else 1.0,
    )
    if part.negative:
        factor = -factor

    def read(cell: str) -> float:
        return _finite(factor * float(_without_separators(cell[start:end], *separators)))

    return read


def _finite(value: float) -> float:
    return value if abs(value) < MAX_NUMBER else math.nan


def _has_small_integers(bodies: Mapping[str, int], mark: str) -> bool:
    """Whether integers below 1,000 stand next to several larger numbers with a separator.

    Then the separator is one of thousands: rounded decimals would have fewer digits now and then.
    """
    integers = [body for body in bodies if mark not in body]
    separated = sum(count for body, count in bodies.items() if mark in body)
    return bool(integers) and max(map(len, integers)) <= 3 and separated >= MIN_SEPARATED
