"""Attribution of one prediction to the parts of the example, before and after compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _
from workbench.plots import maps, sentences
from workbench.plots.marks import mark_prediction
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure

if TYPE_CHECKING:
    from workbench.analysis.attribution import Attribution, Explanation

NARROW = 6
"""With fewer columns than this, the example and its maps are stacked."""
NONE = 0.02
"""Contributions below this fraction of those before compression are invisible."""


def draw(result: Attribution, palette: Palette = LIGHT, *, columns: int = 6) -> Figure:
    """Draw the example and the contribution of each of its parts to the predicted class's logit.

    Images and sounds are drawn next to maps of before and after, texts as colored words. `columns`
    is the available width in columns of at least 104 px.
    """
    label = _(result.classes[result.label])
    if result.kind == "words":
        headings = [
            f"{_line(_('before'), result, result.before, palette)} · {_('label')} {label}",
            _line(_("after"), result, result.after, palette),
        ]
        return sentences.draw(result, palette, summary(result), headings, columns)
    headings = [
        f"<b>{label}</b><br>{_('the label')}",
        _heading(_("before"), result, result.before, palette),
        _heading(_("after"), result, result.after, palette),
    ]
    return maps.draw(result, palette, summary(result), headings, stacked=columns < NARROW)


def summary(result: Attribution) -> str:
    """Summarize both predictions in one sentence."""
    both = result.before, result.after
    before, after = (_(result.classes[e.predicted]) for e in both)
    first, second = (formatting.percent(_confidence(e), 0) for e in both)
    if result.before.predicted == result.after.predicted:
        text = _("Predicted {before} before ({first}) and after ({second})")
    else:
        text = _("Predicted {before} before ({first}), {after} after ({second})")
    text = text.format(before=before, after=after, first=first, second=second)
    if _largest(result.after) < NONE * _largest(result.before):
        text = _("{text}; after compression, the input hardly matters").format(text=text)
    return text


def card(result: Attribution) -> Card:
    """Return the card: the example and both predictions."""
    title = _("{model}: {split} example {number}").format(
        model=result.model, split=_(result.split), number=formatting.count(result.example)
    )
    facts = [(_(result.classes[result.label]), _("the label"))]
    for when, explanation in ((_("before"), result.before), (_("after"), result.after)):
        name = _(result.classes[explanation.predicted])
        share = formatting.percent(_confidence(explanation))
        facts.append((formatting.listed([name, share]), when))
    return Card(title, facts, [summary(result)])


def rows(result: Attribution) -> list[dict[str, Any]]:
    """Return the figure's data as a table: a row for each part of the example."""
    return sentences.rows(result) if result.kind == "words" else maps.rows(result)


def _heading(when: str, result: Attribution, explanation: Explanation, palette: Palette) -> str:
    return _line(when, result, explanation, palette, "<br>")


def _line(
    when: str, result: Attribution, explanation: Explanation, palette: Palette, separator: str = " "
) -> str:
    right = explanation.predicted == result.label
    name = mark_prediction(_(result.classes[explanation.predicted]), right=right, palette=palette)
    return f"{when}: <b>{name}</b>{separator}{formatting.percent(_confidence(explanation))}"


def _largest(explanation: Explanation) -> float:
    return float(np.abs(explanation.attributions).max(initial=0))


def _confidence(explanation: Explanation) -> float:
    return explanation.probabilities[explanation.predicted]
