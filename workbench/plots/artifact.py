"""A compressed file: its bytes by tensor and use."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.errors import WorkbenchError
from workbench.i18n import _
from workbench.plots import ledger, treemap
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure
from workbench.zoo.model_of_file import model_of_file

if TYPE_CHECKING:
    from workbench.artifact.artifact import Artifact


def draw(artifact: Artifact, palette: Palette = LIGHT) -> Figure:
    """Draw the ledger of the file as a treemap."""
    return treemap.draw(artifact.ledger, palette)


def rows(artifact: Artifact) -> list[dict[str, Any]]:
    """Return the figure's data as a table."""
    return ledger.rows(artifact.ledger)


def card(artifact: Artifact) -> Card:
    """Return the card of the file, with its reduction in size if the model is available."""
    facts = [(formatting.nbytes(len(artifact)), _("in the file"))]
    with suppress(WorkbenchError):
        ratio = model_of_file(artifact).original_bytes / len(artifact)
        facts.append((formatting.size_ratio(ratio), ""))
    return Card(artifact.model, facts, [ledger.summary(artifact.ledger), repr(artifact.recipe)])
