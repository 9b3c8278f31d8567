"""Bytes of a file by tensor and use, as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _
from workbench.i18n import mark as N_
from workbench.plots.kind import Kind
from workbench.plots.palette import Palette
from workbench.plots.style import Figure, axis, layout, legend
from workbench.plots.ticks import byte_ticks

if TYPE_CHECKING:
    from workbench.artifact.ledger import Ledger


KINDS = (
    Kind("values", N_("encoded values"), ""),
    Kind("indices", N_("positions of nonzeros"), "/"),
    Kind("scales", N_("scales, codebooks"), "x"),
    Kind("tables", N_("code tables"), "."),
    Kind("uncompressed", N_("uncompressed values"), "-"),
)
HEADER_KINDS = (
    Kind("container", N_("header"), "+"),
    Kind("preprocessing", N_("preprocessing"), "\\"),
)
"""Uses of the bytes around the tensors."""


def draw(used: Ledger, palette: Palette) -> Figure:
    """Draw one bar for each tensor, one for the preprocessing and one for the container."""
    names = [row.name for row in used.rows]
    data = [
        _bars(kind, color, names, [getattr(row, kind.field) for row in used.rows], used, palette)
        for kind, color in zip(KINDS, palette.categories, strict=False)
    ]
    for kind, color in zip(HEADER_KINDS, palette.categories[::-1], strict=False):
        size = getattr(used, kind.field)
        data.append(_bars(kind, color, [_(kind.label_id)], [size], used, palette))
    most = max(*(row.total for row in used.rows), used.container, used.preprocessing)
    return {
        "data": [bars for bars in data if any(bars["y"])],
        "layout": layout(
            palette,
            summary(used),
            barmode="stack",
            bargap=0.35,
            showlegend=True,
            margin={"l": 60, "r": 24, "t": 72, "b": 32},
            legend=legend(),
            xaxis=axis(palette, "", type="category", showgrid=False, automargin=True),
            yaxis=axis(palette, _("bytes in the file"), **byte_ticks(most)),
        ),
    }


def rows(used: Ledger) -> list[dict[str, Any]]:
    """Return the figure's data as a table."""
    fields = [kind.field for kind in KINDS]
    table: list[dict[str, Any]] = [
        {"tensor": row.name, **{field: getattr(row, field) for field in fields}, "total": row.total}
        for row in used.rows
    ]
    sizes = {kind.field: getattr(used, kind.field) for kind in HEADER_KINDS}
    return table + [
        {"tensor": field, **dict.fromkeys(fields, 0), "total": size}
        for field, size in sizes.items()
        if size
    ]


def _bars(
    kind: Kind,
    color: str,
    names: Sequence[str],
    sizes: Sequence[int],
    used: Ledger,
    palette: Palette,
) -> dict[str, Any]:
    label = _(kind.label_id)
    return {
        "type": "bar",
        "name": label,
        "x": list(names),
        "y": list(sizes),
        "customdata": [
            f"{label}: <b>{formatting.nbytes(size)}</b> "
            f"({formatting.percent(size / max(used.total, 1))})"
            for size in sizes
        ],
        "hovertemplate": "%{x}<br>%{customdata}<extra></extra>",
        "marker": kind.marker(color, palette),
    }


def summary(used: Ledger) -> str:
    """Name the tensor with the largest fraction of the file's bytes, in one sentence."""
    largest, total = max(used.rows, key=lambda row: row.total, default=None), used.total
    if largest is None or not total:
        return _("The file has no tensors")
    share = formatting.percent(largest.total / total, 0)
    size = formatting.nbytes(total)
    return _("{name} takes {share} of the {size}").format(name=largest.name, share=share, size=size)
