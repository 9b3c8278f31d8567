"""How a runtime agrees with a file: the examples where its prediction differs, and a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.errors import InputError
from workbench.i18n import _
from workbench.plots import comparison
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure

if TYPE_CHECKING:
    from workbench.deploy.agreement import Agreement

LISTED = 8
"""Borderline predictions that a card names."""


def draw(agreement: Agreement, palette: Palette = LIGHT, **options: Any) -> Figure:
    """Draw the borderline examples, each with its label, the file's class and the runtime's.

    Parameters
    ----------
    **options
        Options of `flips.draw`.

    Raises
    ------
    InputError
        If the model predicts several classes for each example, or numbers.
    """
    if len(agreement.borderline) != len(agreement.classes):
        raise InputError("Predictions that are numbers cannot be drawn.", code="deploy.no_picture")
    if agreement.positions != 1:
        raise InputError(
            "Predictions at each position of a text cannot be drawn: call to_frame().",
            code="deploy.no_picture",
        )
    shown = {"chart": "examples", "kind": "flipped", **options}
    return comparison.draw(agreement.comparison(), palette, **shown)


def rows(agreement: Agreement) -> list[dict[str, Any]]:
    """Return one row for each borderline prediction."""
    return agreement.rows()


def card(agreement: Agreement) -> Card:
    """Return the card of an agreement, which names the first borderline predictions."""
    facts = (
        (agreement.metric.format(agreement.score.value), agreement.runtime),
        (agreement.metric.format(agreement.reference.value), _("the file")),
        (f"{agreement.largest_difference:.1e}", _("largest difference of an output")),
    )
    title = f"{agreement.summary} {agreement.integers}".rstrip()
    return Card(title, facts, borderline_notes(agreement))


def borderline_notes(agreement: Agreement) -> list[str]:
    """Return a sentence for each of the first borderline predictions."""
    sentences = []
    for row in agreement.rows()[:LISTED]:
        sentence = _("Example {example}: {file} in the file, {predicted} in {runtime}.")
        if agreement.positions > 1:
            sentence = _(
                "Example {example}, position {position}: {file} in the file, {predicted} in "
                "{runtime}."
            )
        sentences.append(
            sentence.format(
                example=formatting.count(row["example"]),
                position=formatting.count(row["position"]),
                file=_(row["file"]),
                predicted=_(row["runtime"]),
                runtime=agreement.runtime,
            )
        )
    return sentences
