"""Bytes of a file by tensor and use, as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.display import Card
from workbench.i18n import _, mark as N_
from workbench.plots.kind import Kind
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout, legend, name_axis
from workbench.plots.ticks import byte_ticks

if TYPE_CHECKING:
    from workbench.artifact.ledger import Ledger, LedgerRow


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
BARS = 8
"""The most bars for tensors that fit below each other; the smallest ones share the last."""
LETTERS = 18
"""The letters of a name that leave room for its bar on a phone."""


def draw(used: Ledger, palette: Palette = LIGHT) -> Figure:
    """Draw one bar for each tensor, one for the preprocessing and one for the container.

    If there are more than `BARS` tensors, the smallest ones share a bar.
    """
    names, groups = zip(*_groups(used.rows), strict=True) if used.rows else ((), ())
    data = [
        _bars(
            kind,
            color,
            names,
            [sum(getattr(row, kind.field) for row in group) for group in groups],
            used,
            palette,
        )
        for kind, color in zip(KINDS, palette.categories, strict=False)
    ]
    for kind, color in zip(HEADER_KINDS, palette.categories[::-1], strict=False):
        size = getattr(used, kind.field)
        data.append(_bars(kind, color, [_(kind.label_id)], [size], used, palette))
    every = [*names, *(_(kind.label_id) for kind in HEADER_KINDS if getattr(used, kind.field))]
    totals = [sum(row.total for row in group) for group in groups]
    most = max(*totals, used.container, used.preprocessing)
    return {
        "data": [bars for bars in data if any(bars["x"])],
        "layout": layout(
            palette,
            summary(used),
            barmode="stack",
            bargap=0.2,
            showlegend=True,
            margin={"l": 24, "r": 24, "t": 72, "b": 48},
            legend=legend(),
            xaxis=axis(
                palette,
                _("bytes in the file"),
                range=[0, 1.05 * most],
                **byte_ticks(most),
                tickangle=0,
            ),
            yaxis=name_axis(
                palette,
                tickvals=every,
                ticktext=[formatting.short(name, LETTERS) for name in every],
            ),
        ),
    }


def _groups(rows: Sequence[LedgerRow]) -> list[tuple[str, list[LedgerRow]]]:
    """Return the tensors of each bar in their order, with its name."""
    if len(rows) <= BARS:
        return [(row.name, [row]) for row in rows]
    largest = sorted(rows, key=lambda row: row.total, reverse=True)[: BARS - 1]
    others = [row for row in rows if row not in largest]
    text = _("{count} others").format(count=formatting.count(len(others)))
    return [*((row.name, [row]) for row in rows if row in largest), (text, others)]


def card(used: Ledger) -> Card:
    """Return the card: the bytes of each use."""
    sizes = {kind: sum(getattr(row, kind.field) for row in used.rows) for kind in KINDS}
    sizes |= {kind: getattr(used, kind.field) for kind in HEADER_KINDS}
    facts = [(formatting.nbytes(size), _(kind.label_id)) for kind, size in sizes.items() if size]
    return Card(summary(used), facts)


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
        "orientation": "h",
        "x": list(sizes),
        "y": list(names),
        "customdata": [
            f"{name}<br>{label}: <b>{formatting.nbytes(size)}</b> "
            f"({formatting.percent(size / max(used.total, 1))})"
            for name, size in zip(names, sizes, strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
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
