"""The bank: a row for each layer, with what it is, what it takes, and how it is compressed."""

from __future__ import annotations

from math import prod
from typing import Any

from workbench import formatting
from workbench.domain import Model
from workbench.i18n import _, plural
from workbench.i18n import mark as N_
from workbench.recipe.off import BY_LAYER
from workbench.session import Session

KINDS = {"linear": N_("linear"), "convolution": N_("convolution")}
"""The words for the kinds of layers in cards; others go by their own name."""


def rows(model: Model) -> list[dict[str, Any]]:
    """Return what never changes of each layer: its name, what it is, its share of the work.

    And for each field, which layers a change of its row sets; none where it cannot be set.
    """
    return [_row(model, name) for name in model.layers]


def live(session: Session) -> dict[str, Any]:
    """Return what changes: each layer's share of the file's bytes, and the size that is held."""
    report = session.report
    if report is None:
        return {"bytes": {}, "held": _held(session)}
    found = {row.name: row.total for row in report.size.ledger.rows}
    return {
        "bytes": {
            name: {
                "share": found[name] / report.size.bytes,
                "text": formatting.percent(found[name] / report.size.bytes),
                "help": formatting.nbytes(found[name]),
            }
            for name in session.layers
            if name in found
        },
        "held": _held(session),
    }


def _row(model: Model, name: str) -> dict[str, Any]:
    shape, layer = model.card["tensors"][name], model.card["layers"][name]
    count = prod(shape)
    kind = KINDS.get(layer["kind"], layer["kind"])
    weights = plural("{count} weight", "{count} weights", count).format(
        count=formatting.count(count)
    )
    whole = model.card["macs"]  # none where nothing is multiplied, as in embeddings alone
    share = layer["macs"] / whole if whole else 0.0
    return {
        "name": name,
        "together": {f"{key}.layers": list(model.coupled_layers(name, key)) for key in BY_LAYER},
        "about": f"{_(kind)} · {' × '.join(map(str, shape))} · {weights}",
        "work": {
            "share": share,
            "text": formatting.percent(share),
            "help": _("{count} multiply-adds of an example").format(
                count=formatting.count(layer["macs"])
            ),
        },
    }


def _held(session: Session) -> dict[str, Any] | None:
    """Return what is asked of the file's size and what it is, as text; None where it is free."""
    asked, report = session.held, session.report
    if asked is None:
        return None
    if report is None or report.recipe != session.recipe:
        return {"text": _("asked {asked}").format(asked=formatting.nbytes(asked))}
    return {
        "text": _("asked {asked}, is {bytes}").format(
            asked=formatting.nbytes(asked), bytes=formatting.nbytes(report.size.bytes)
        )
    }
