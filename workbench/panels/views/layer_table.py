"""The layer table: a row for each layer with its kind, its cost and its settings."""

from __future__ import annotations

from math import prod
from typing import Any

from workbench import formatting
from workbench.domain import Model
from workbench.i18n import _, mark as N_, plural
from workbench.recipe.off import BY_LAYER
from workbench.session import Session

KINDS = {"linear": N_("linear"), "convolution": N_("convolution")}
"""Labels of the layer kinds in model cards; other kinds are shown by their identifier."""


def rows(model: Model) -> list[dict[str, Any]]:
    """Return the constant facts of each layer: name, description, share of the MACs.

    `coupled` lists, for each field, the layers that share its setting with the row; it is empty if
    the layer does not have the field.
    """
    return [_row(model, name) for name in model.layers]


def live(session: Session) -> dict[str, Any]:
    """Return the facts that change: each layer's share of the file, and the size to keep."""
    report = session.report
    rows = report.size.ledger.rows if report is not None else ()
    sizes = {row.name: row.total for row in rows if row.name in session.layers}
    total = report.size.bytes if report is not None else 0
    shares = {name: _share(size / total, formatting.nbytes(size)) for name, size in sizes.items()}
    return {"bytes": shares, "held_size": _held_size(session)}


def _share(share: float, help_: str) -> dict[str, Any]:
    return {"share": share, "text": formatting.percent(share), "help": help_}


def _row(model: Model, name: str) -> dict[str, Any]:
    shape, layer = model.card["tensors"][name], model.card["layers"][name]
    count = prod(shape)
    kind = KINDS.get(layer["kind"], layer["kind"])
    weights = plural("{count} weight", "{count} weights", count).format(
        count=formatting.count(count)
    )
    total = model.card["macs"]  # zero for a model of embeddings only
    share = layer["macs"] / total if total else 0.0
    macs = _("{count} multiply-accumulates per example").format(
        count=formatting.count(layer["macs"])
    )
    return {
        "name": name,
        "coupled": {f"{key}.layers": list(model.coupled_layers(name, key)) for key in BY_LAYER},
        "description": f"{_(kind)} · {' × '.join(map(str, shape))} · {weights}",
        "macs": _share(share, macs),
    }


def _held_size(session: Session) -> dict[str, Any] | None:
    """Return the text about the size to keep and the current size; None if it is not kept."""
    target, report = session.target_size, session.report
    if target is None:
        return None
    if report is None or report.recipe != session.recipe:
        return {"text": _("target {target}").format(target=formatting.nbytes(target))}
    return {
        "text": _("target {target}, current {bytes}").format(
            target=formatting.nbytes(target), bytes=formatting.nbytes(report.size.bytes)
        )
    }
