"""The settings of a recipe as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.display import Card
from workbench.i18n import _, mark as N_
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.sheet import escape_text
from workbench.plots.style import Figure, layout
from workbench.recipe import Recipe

COLUMNS = {"part": N_("part"), "setting": N_("setting"), "layer": N_("layer"), "value": N_("value")}
ROW, MARGINS = 28, 96
"""Height in px of a row, and of the margins with the header."""


def draw(recipe: Recipe, palette: Palette = LIGHT) -> Figure:
    """Draw the table of `rows`."""
    table = rows(recipe)
    style = {
        "align": "left",
        "height": ROW,
        "fill": {"color": palette.panel},
        "line": {"color": palette.line},
        "font": {"color": palette.ink, "size": 13},
    }
    header = [f"<b>{_(label)}</b>" for label in COLUMNS.values()]
    cells = [[escape_text(str(row[name])) for row in table] for name in COLUMNS]
    return {
        "data": [
            {"type": "table", "header": {"values": header, **style}}
            | {"cells": {"values": cells, **style}}
        ],
        "layout": layout(
            palette,
            _("Recipe"),
            height=MARGINS + ROW * len(table),
            margin={"l": 12, "r": 12, "t": 48, "b": 12},
        ),
    }


def rows(recipe: Recipe) -> list[dict[str, Any]]:
    """Return a row for each setting that is not a default, and for each layer with its own value.

    `layer` is empty for a setting of all layers.
    """
    return [
        {"part": part, "setting": setting, "layer": layer, "value": value}
        for part, settings in recipe.as_dict().items()
        for setting, values in settings.items()
        for layer, value in (values if isinstance(values, Mapping) else {"": values}).items()
    ]


def card(recipe: Recipe) -> Card:
    """Return the card of a recipe."""
    facts = [
        (str(row["value"]), " ".join(filter(None, (row["part"], row["setting"], row["layer"]))))
        for row in rows(recipe)
    ]
    return Card(_("Recipe"), facts or [("", _("The recipe compresses nothing"))])
