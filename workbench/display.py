"""How a result displays itself in a notebook: as a card, a data frame and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from workbench.plots.picture import Picture

# Colors are inherited, so that the card fits the light and the dark theme.
CARD = "display:inline-block;padding:8px 14px;border:1px solid rgba(128,128,128,.4);color:inherit"
FACTS = "display:flex;flex-wrap:wrap;gap:4px 20px;margin-top:4px"
NOTES = "margin:6px 0 0;padding-left:18px;max-width:70ch"


@dataclass(frozen=True)
class Card:
    """A result in brief: a title, values with their labels, and sentences."""

    title: str
    facts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()

    def html(self) -> str:
        """Return the card as HTML; every text is escaped."""
        facts = "".join(
            f"<span><b>{escape(value)}</b> {escape(label)}</span>" for value, label in self.facts
        )
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            f'<div style="{CARD}"><b>{escape(self.title)}</b><div style="{FACTS}">{facts}</div>'
            + (f'<ul style="{NOTES}">{notes}</ul>' if notes else "")
            + "</div>"
        )


class Displayable:
    """Mixin of results that display themselves.

    A class names a module of `workbench.plots` with the functions `draw`, `rows` and `card`. The
    module is imported on call, because plots lie above the results that they draw.
    """

    _plots: ClassVar[str]
    _columns: ClassVar[tuple[str, ...]] = ()
    """The columns of a data frame without rows, of a result that may have none."""

    def plot(self, **options: Any) -> Picture:
        """Return a figure for Jupyter; `options` are those of the function `draw` of its module."""
        draw = partial(plots(self._plots).draw, self)
        make: type[Picture] = plots("picture").Picture
        if "palette" in options:
            return make(draw(**options), options["palette"])
        return make(draw(**options), draw=lambda palette: draw(palette=palette, **options))

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, or a dict from columns to lists without pandas."""
        rows = plots(self._plots).rows(self)
        names = rows[0] if rows else self._columns
        columns = {name: [row[name] for row in rows] for name in names}
        try:
            return import_module("pandas").DataFrame(columns)
        except ImportError:
            return columns

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/html": plots(self._plots).card(self).html(), "text/plain": repr(self)}


def plots(module: str) -> Any:
    """Return a module of `workbench.plots`."""
    return import_module(f"workbench.plots.{module}")
