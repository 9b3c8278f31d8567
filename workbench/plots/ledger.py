"""Bytes of a file by tensor and use, as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _
from workbench.i18n import mark as N_
from workbench.plots.palette import Palette
from workbench.plots.style import Figure, axis, layout, legend

if TYPE_CHECKING:
    from workbench.artifact.ledger import LedgerRow


@dataclass(frozen=True)
class Kind:
    """A use of bytes: its ledger field, its label, and a pattern in addition to the color."""

    field: str
    label_id: str
    pattern: str


KINDS = (
    Kind("values", N_("encoded values"), ""),
    Kind("indices", N_("positions of nonzeros"), "/"),
    Kind("scales", N_("scales, codebooks"), "x"),
    Kind("tables", N_("code tables"), "."),
    Kind("uncompressed", N_("uncompressed values"), "-"),
)


def draw(rows: Sequence[LedgerRow], container: int, palette: Palette) -> Figure:
    """Draw one bar for each tensor and one for the `container`, whose size is in bytes."""
    total = container + sum(row.total for row in rows)
    names = [row.name for row in rows]
    data = [
        _bars(kind, color, names, [getattr(row, kind.field) for row in rows], total, palette)
        for kind, color in zip(KINDS, palette.categories, strict=False)
    ]
    container_kind = Kind("container", N_("header"), "+")
    data.append(
        _bars(container_kind, palette.categories[-1], [_("header")], [container], total, palette)
    )
    return {
        "data": [bars for bars in data if any(bars["y"])],
        "layout": layout(
            palette,
            summary(rows, container, total),
            barmode="stack",
            bargap=0.35,
            showlegend=True,
            margin={"l": 60, "r": 24, "t": 72, "b": 32},
            legend=legend(),
            xaxis=axis(palette, "", type="category", showgrid=False, automargin=True),
            yaxis=axis(palette, _("bytes in the file"), tickformat="~s", ticksuffix="B", nticks=5),
        ),
    }


def rows(ledger_rows: Sequence[LedgerRow], container: int) -> list[dict[str, Any]]:
    """Return the figure's data as a table."""
    fields = [kind.field for kind in KINDS]
    table: list[dict[str, Any]] = [
        {"tensor": row.name, **{field: getattr(row, field) for field in fields}, "total": row.total}
        for row in ledger_rows
    ]
    table.append({"tensor": "container", **dict.fromkeys(fields, 0), "total": container})
    return table


def _bars(
    kind: Kind,
    color: str,
    names: Sequence[str],
    sizes: Sequence[int],
    total: int,
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
            f"({formatting.percent(size / max(total, 1))})"
            for size in sizes
        ],
        "hovertemplate": "%{x}<br>%{customdata}<extra></extra>",
        "marker": {
            "color": color,
            "line": {"width": 0},
            "pattern": {
                "shape": kind.pattern,
                "fillmode": "overlay",
                "fgcolor": palette.panel,
                "fgopacity": 0.7,
                "size": 6,
                "solidity": 0.25,
            },
        },
    }


def summary(rows: Sequence[LedgerRow], container: int, total: int) -> str:
    """Name the tensor with the largest fraction of the file's `total` bytes, in one sentence."""
    largest = max(rows, key=lambda row: row.total, default=None)
    if largest is None or not total:
        return _("The file has no tensors")
    share = formatting.percent(largest.total / total, 0)
    size = formatting.nbytes(total)
    return _("{name} takes {share} of the {size}").format(name=largest.name, share=share, size=size)
