"""The examples whose predicted number changed most by compression."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from workbench import formatting
from workbench.i18n import _, plural
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.sheet import LETTER, escape_text, sheet, sheet_width, text_trace
from workbench.plots.style import Figure
from workbench.zoo.readable import row_text

if TYPE_CHECKING:
    from workbench.analysis.number_comparison import NumberComparison

ENTRIES = 10
"""Examples that are listed."""
ENTRY_PX = 64
"""Height of an entry in px: its numbers, and two lines of its cells."""


def draw(comparison: NumberComparison, palette: Palette = LIGHT, *, columns: int = 8) -> Figure:
    """List the examples with the largest change: the true number, both predictions, the cells.

    Parameters
    ----------
    comparison
        The comparison of both models.
    palette
        The colors.
    columns
        The width of the list in columns of the page.
    """
    width = sheet_width(columns)
    lines: list[tuple[float, float, str]] = []
    chosen = comparison.most_changed[:ENTRIES].tolist()
    for position, number in enumerate(chosen):
        top = position * ENTRY_PX
        true, before, after = (
            formatting.number(float(values[number]))
            for values in (comparison.labels, comparison.before, comparison.after)
        )
        head = _("predicted {before} → {after}, true {true}").format(
            before=before, after=f'<b style="color:{palette.ink}">{after}</b>', true=true
        )
        lines.append((0, top + 12, head))
        text = _excerpt(comparison, number, int(width / LETTER))
        lines += [(0, top + 30 + 17 * row, escape_text(line)) for row, line in enumerate(text)]
    lines = lines or [(0, ENTRY_PX / 2, _("There are none."))]
    size = width, max(1, len(chosen)) * ENTRY_PX
    return sheet(palette, summary(comparison), [text_trace(lines, palette)], size, [])


def summary(comparison: NumberComparison) -> str:
    """Summarize the changes in one sentence."""
    changed = comparison.most_changed
    if not len(changed):
        return _("No prediction changed")
    largest = abs(float(comparison.after[changed[0]] - comparison.before[changed[0]]))
    sentence = plural(
        "{count} prediction changed, by {largest}",
        "{count} predictions changed, by {largest} at most",
        len(changed),
    )
    return sentence.format(count=formatting.count(len(changed)), largest=formatting.number(largest))


def _excerpt(comparison: NumberComparison, number: int, letters: int) -> list[str]:
    if comparison.source is None:
        return [_("example {number}, counted from 0").format(number=formatting.count(number))]
    text = row_text(comparison.source, number, comparison.target)
    return wrap(text, letters, max_lines=2, placeholder=" …")
