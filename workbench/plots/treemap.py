"""Bytes of a file by tensor and use, as a treemap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench import formatting
from workbench.i18n import _
from workbench.plots.ledger import HEADER_KINDS, KINDS, summary
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, layout

if TYPE_CHECKING:
    from workbench.artifact.ledger import Ledger


def draw(used: Ledger, palette: Palette = LIGHT) -> Figure:
    """Draw the ledger of one file; the total area is the file's size in bytes."""
    total = used.total
    tiles = [("file", "", _("the file"), total, palette.panel)]
    for row in used.rows:
        if not row.total:
            continue
        tiles.append((row.name, "file", row.name, row.total, palette.line))
        for kind, color in zip(KINDS, palette.categories, strict=False):
            size = getattr(row, kind.field)
            if size:
                tile_id = f"{row.name} {kind.field}"
                tiles.append((tile_id, row.name, _(kind.label_id), size, color))
    for kind, color in zip(HEADER_KINDS, palette.categories[::-1], strict=False):
        if size := getattr(used, kind.field):
            tiles.append((kind.field, "file", _(kind.label_id), size, color))
    ids, parents, labels, sizes, colors = zip(*tiles, strict=True)
    return {
        "data": [
            {
                "type": "treemap",
                "ids": list(ids),
                "parents": list(parents),
                "labels": list(labels),
                "values": list(sizes),
                "text": [
                    f"{formatting.size(size)}, {formatting.percent(size / max(total, 1))}"
                    for size in sizes
                ],
                "customdata": [formatting.nbytes(size) for size in sizes],
                "branchvalues": "total",
                "texttemplate": "%{label}<br>%{text}",
                "hovertemplate": "%{id}<br><b>%{customdata}</b><br>%{text}<extra></extra>",
                "marker": {
                    "colors": list(colors),
                    "line": {"width": 1, "color": palette.panel},
                    "pad": {"t": 26, "l": 2, "r": 2, "b": 2},
                },
                "tiling": {"pad": 1},
                "pathbar": {"visible": False},
                "root": {"color": palette.panel},
                "sort": False,
            }
        ],
        "layout": layout(
            palette,
            summary(used),
            height=320,
            uniformtext={"minsize": 13, "mode": "hide"},
            margin={"l": 12, "r": 12, "t": 48, "b": 12},
        ),
    }
