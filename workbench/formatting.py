"""Formatting of numbers: always with units, thin separators, and signs on changes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from decimal import Decimal

from workbench.i18n import _, plural

NARROW_SPACE = "\u202f"
MINUS = "\u2212"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
BYTE_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
"""The units of sizes above the byte, in bytes, the largest first."""


def count(value: int) -> str:
    """Format an integer with commas between thousands: ``41,203``."""
    return f"{value:,}"


def nbytes(value: int) -> str:
    """Format an exact size: ``41,203 bytes``."""
    return plural("{count}\u202fbyte", "{count}\u202fbytes", value).format(count=count(value))


def size(value: float) -> str:
    """Format a size in decimal units (1 kB = 1000 B) with three digits: ``41.2 kB``."""
    return _in_unit(value, BYTE_UNITS) or f"{value:.0f}{NARROW_SPACE}B"


def round_size(value: float) -> str:
    """Format a round size, such as that of a tick of an axis, without zeros: ``80 kB``."""
    for unit, scale in BYTE_UNITS:
        if value >= scale:
            return f"{value / scale:g}{NARROW_SPACE}{unit}"
    return f"{value:g}{NARROW_SPACE}B"


def percent(fraction: float, digits: int = 1) -> str:
    """Format a fraction in percent: ``89.9 %``."""
    return f"{_with_minus(f'{fraction * 100:.{digits}f}')}{NARROW_SPACE}%"


def signed_percent(change: float) -> str:
    """Format a relative difference in percent with its sign: ``−3.1 %``."""
    sign = "+" if change >= 0 else MINUS
    return f"{sign}{percent(abs(change))}"


def percent_interval(low: float, high: float) -> tuple[str, str]:
    """Format the ends of an interval of fractions with as few digits as tell them apart.

    Examples
    --------
    >>> percent_interval(0.82, 1.0), percent_interval(0.9987, 0.9994)
    (('82\u202f%', '100\u202f%'), ('99.87\u202f%', '99.94\u202f%'))
    """
    ends = [(percent(low, digits), percent(high, digits)) for digits in range(3)]
    return next((pair for pair in ends if pair[0] != pair[1]), ends[-1])


def points(change: float, digits: int = 1) -> str:
    """Format a difference of fractions in percentage points with its sign: ``−1.5 points``."""
    value = round(change * 100, digits)
    sign = "+" if value > 0 else MINUS if value < 0 else "±"
    return _("{change}\u202fpoints").format(change=f"{sign}{abs(value):.{digits}f}")


def points_between(value: float, other: float, digits: int = 1) -> str:
    """Format the difference of two fractions as they are shown in percent: ``−1.5 points``."""
    shown = (f"{100 * fraction:.{digits}f}" for fraction in (value, other))
    return _("{change}\u202fpoints").format(change=difference(*shown))


def difference(shown: str, other: str) -> str:
    """Format the difference of two finite numbers as they are shown, with its sign: ``+0.021``.

    Next to them, a difference that is computed before rounding could be wrong by one digit.
    """
    change = _read(shown) - _read(other)
    sign = "+" if change > 0 else MINUS if change < 0 else "±"
    return f"{sign}{abs(change):,f}"


def _read(shown: str) -> Decimal:
    return Decimal(shown.replace(",", "").replace(MINUS, "-"))


def number(value: float) -> str:
    """Format a number without a unit, to three decimals or four digits: ``1.742``."""
    if (value and abs(_rounded(value)) < 0.1) or round(abs(value), 1) >= 1e6:
        return _with_minus(f"{value:.3g}")
    return _with_minus(f"{value:,.3f}" if round(abs(value), 3) < 100 else f"{value:,.1f}")


def tick(value: float) -> str:
    """Format a number at a tick of an axis, with six significant digits at most: ``−0.5``."""
    return _with_minus(f"{value:g}")


def scientific(value: float) -> str:
    """Format a number that may be tiny, with a power of ten: ``3.08 × 10⁻⁷``."""
    text = number(value)
    if "e" not in text:
        return text
    digits, power = text.split("e")
    return f"{digits}{NARROW_SPACE}×{NARROW_SPACE}10{str(int(power)).translate(SUPERSCRIPTS)}"


def signed(change: float) -> str:
    """Format a difference with its sign: ``+0.021``."""
    text = number(abs(change))
    sign = "±" if float(text.replace(",", "")) == 0 else "+" if change > 0 else MINUS
    return f"{sign}{text}"


def short(name: str, most: int = 80) -> str:
    """Shorten a long name in its middle to `most` characters."""
    half = most // 2
    return name if len(name) <= most else f"{name[: half - 1]}…{name[-half:]}"


def titled(title: str, text: str) -> str:
    """Put a title before a text: ``fc1: 3 bits``."""
    return _("{title}: {text}").format(title=title, text=text)


def listed(items: Iterable[str]) -> str:
    """Join short texts to a list: ``60 % pruned, 4 bits``."""
    return _between(_("{first}, {second}")).join(items)


def paragraph(sentences: Iterable[str]) -> str:
    """Join sentences; empty ones are left out."""
    return _between(_("{first} {second}")).join(filter(None, sentences))


def _between(pattern: str) -> str:
    """Return what a language writes between two texts."""
    return pattern.format(first="", second="")


def names(items: Sequence[str], most: int) -> str:
    """Format a list of names; beyond `most`, the number of all: ``fc1, fc2, … (7)``."""
    more = f", … ({count(len(items))})" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def times(ratio: float) -> str:
    """Format a factor with three significant digits: ``42.1 ×``."""
    return f"{_significant(ratio)}{NARROW_SPACE}×"


def size_ratio(ratio: float) -> str:
    """Describe how many times smaller a file is: ``42.1 × smaller``."""
    if abs(ratio - 1) < 0.005:
        return _("same size") if ratio == 1 else _("≈ same size")
    if ratio < 1:
        return _("{ratio} larger").format(ratio=times(1 / ratio))
    return _("{ratio} smaller").format(ratio=times(ratio))


def milliseconds(value: float) -> str:
    """Format a duration in milliseconds: ``3.21 ms``, ``2 × 10⁻⁶ ms``."""
    text = scientific(value) if 0 < abs(value) < 0.005 else _significant(value)
    return f"{text}{NARROW_SPACE}ms"


def date_and_time(seconds: float) -> str:
    """Format a time in seconds since 1970, in the time zone of this machine."""
    return time.strftime("%Y-%m-%d, %H:%M", time.localtime(seconds))


def joules(value: float) -> str:
    """Format an energy with three digits: ``41.2 kJ``, ``2 × 10⁻⁶ mJ``."""
    if text := _in_unit(value, (("MJ", 1e6), ("kJ", 1e3), ("J", 1.0))):
        return text
    tiny = 0 < abs(value) < 5e-6
    text = scientific(value * 1e3) if tiny else _significant(_rounded(value) * 1e3)
    return f"{text}{NARROW_SPACE}mJ"


def millijoules(value: float) -> str:
    """Format an energy that is given in millijoules: ``41.2 mJ``."""
    return joules(value / 1000)


def grams(value: float) -> str:
    """Format a mass with three digits: ``41.2 mg``."""
    text = _in_unit(value, (("kg", 1e3), ("g", 1.0), ("mg", 1e-3)))
    return text or f"{_significant(_rounded(value) * 1e6)}{NARROW_SPACE}µg"


def _with_minus(text: str) -> str:
    """Return a number with a minus sign in place of a hyphen at its start; zero has no sign."""
    if not text.startswith("-"):
        return text
    return text[1:] if text.strip("-0.") == "" else f"{MINUS}{text[1:]}"


def _in_unit(value: float, units: Sequence[tuple[str, float]]) -> str:
    """Format a value with three digits in the largest unit that it reaches; empty if in none."""
    value = _rounded(value)
    reached = ((unit, scale) for unit, scale in units if abs(value) >= scale)
    unit, scale = next(reached, ("", 1.0))
    return f"{_significant(value / scale)}{NARROW_SPACE}{unit}" if unit else ""


def _significant(value: float) -> str:
    """Format a number with three significant digits, and with two decimals at most."""
    value = _rounded(value)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def _rounded(value: float) -> float:
    """Round to three significant digits, so that unit and decimals fit the number shown."""
    return float(f"{value:.3g}")
