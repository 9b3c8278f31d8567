"""What a network looks at in one example, before and after compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _
from workbench.plots import maps, sentences
from workbench.plots.marks import mark_prediction
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure

if TYPE_CHECKING:
    from workbench.analysis.attribution import Attribution, Explanation

NARROW = 6
"""With fewer columns than this, example and maps stand below one another."""


def draw(found: Attribution, palette: Palette = LIGHT, *, columns: int = 6) -> Figure:
    """Draw the example, and what each of its parts adds to the predicted class's logit.

    Images and sounds are drawn beside maps of before and after, texts as sentences whose words are
    coloured. `columns` says how wide: a column has 104 px at least.
    """
    label = _(found.classes[found.label])
    if found.kind == "words":
        heads = [
            f"{_line(_('before'), found, found.before, palette)} · {_('label')} {label}",
            _line(_("after"), found, found.after, palette),
        ]
        return sentences.draw(found, palette, summary(found), heads, columns)
    above = [
        f"<b>{label}</b><br>{_('the label')}",
        _head(_("before"), found, found.before, palette),
        _head(_("after"), found, found.after, palette),
    ]
    return maps.draw(found, palette, summary(found), above, stacked=columns < NARROW)


def summary(found: Attribution) -> str:
    """Return what the example was and is taken for, in a sentence."""
    before, after = (_(found.classes[look.predicted]) for look in (found.before, found.after))
    sure = [formatting.percent(_sureness(look), 0) for look in (found.before, found.after)]
    if found.before.predicted == found.after.predicted:
        text = _("Taken for {before} before and after, {first} and {second} sure")
    else:
        text = _("Taken for {before} before ({first} sure), for {after} after ({second})")
    return text.format(before=before, after=after, first=sure[0], second=sure[1])


def rows(found: Attribution) -> list[dict[str, Any]]:
    """Return the picture's data as a table: a row for each part of the example."""
    return sentences.rows(found) if found.kind == "words" else maps.rows(found)


def _head(when: str, found: Attribution, look: Explanation, palette: Palette) -> str:
    return _line(when, found, look, palette, "<br>")


def _line(
    when: str, found: Attribution, look: Explanation, palette: Palette, between: str = " "
) -> str:
    right = look.predicted == found.label
    name = mark_prediction(_(found.classes[look.predicted]), right=right, palette=palette)
    return f"{when}: <b>{name}</b>{between}{formatting.percent(_sureness(look))}"


def _sureness(look: Explanation) -> float:
    return look.probabilities[look.predicted]
