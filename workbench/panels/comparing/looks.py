"""What the controls above a view ask for: to look at something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.panels.comparing.attribution import selected_example, supports_attribution
from workbench.panels.comparing.examples import EXAMPLES, page_size, page_start
from workbench.panels.comparing.tab import selected_view, views
from workbench.panels.comparing.view import cached_comparison
from workbench.session import Session
from workbench.zoo.readable import display_type

MOST_COLUMNS = 12


def update_focus(session: Session, key: str, value: Any) -> None:
    """Do what a control of the tab asks; what makes no sense, whoever sent it, is let be."""
    if key in LOOKS:
        changes = LOOKS[key](session, value)
        if changes:
            session.set_focus(**changes)


def _turn_page(session: Session, way: Any) -> dict[str, Any]:
    changes = cached_comparison(session)
    if changes is None or way not in (-1, 1):
        return {}
    return {"first": max(0, page_start(session, changes) + way * page_size(session))}


def _next_example(session: Session, way: Any) -> dict[str, Any]:
    changes = cached_comparison(session)
    if changes is None or way not in (-1, 1):
        return {}
    return {"example": (selected_example(session, changes) + way) % len(changes)}


def _next_flipped(session: Session, way: Any) -> dict[str, Any]:
    changes = cached_comparison(session)
    if changes is None or not len(changes.flipped):
        return {}
    here = selected_example(session, changes)
    later = changes.flipped[changes.flipped > here]
    return {"example": int(later[0] if len(later) else changes.flipped[0])}


def _open_tile(session: Session, spot: Any) -> dict[str, Any]:
    """Show what the network looks at in the example that was clicked, at {x, y} of the picture."""
    from workbench.plots import flips

    changes, focus = cached_comparison(session), session.focus
    whole = isinstance(spot, Mapping) and all(isinstance(spot.get(k), int) for k in ("x", "y"))
    pictured = selected_view(session) is EXAMPLES and supports_attribution(session.model.task)
    if changes is None or not pictured or not whole:
        return {}
    form = display_type(session.model.task)
    place = flips.tile_at(spot["x"], spot["y"], focus.columns, form)
    numbers = flips.visible_examples(
        changes, focus.kind, page_start(session, changes), focus.columns, form
    )
    if not 0 <= place < len(numbers):
        return {}
    return {"view": "attribution", "example": numbers[place]}


def _one_of(field: str, allowed: Callable[[Session], Any]) -> Callable[[Session, Any], Any]:
    """Return what sets `field` to a value that is allowed."""

    def change(session: Session, value: Any) -> dict[str, Any]:
        fits = isinstance(value, str | bool | int) and value in allowed(session)
        return {field: value} if fits and value != getattr(session.focus, field) else {}

    return change


def _step(field: str) -> Callable[[Session, Any], Any]:
    """Return what counts `field` up or down, from 0."""

    def change(session: Session, way: Any) -> dict[str, Any]:
        here = getattr(session.focus, field)
        return {field: max(0, here + way)} if way in (-1, 1) else {}

    return change


def _choose_kind(session: Session, value: Any) -> dict[str, Any]:
    from workbench.plots import flips

    return {"kind": value, "first": 0} if value in list(flips.KINDS) else {}


LOOKS: dict[str, Callable[[Session, Any], dict[str, Any]]] = {
    "view": _one_of("view", lambda session: [view.key for view in views(session.model.task)]),
    "kind": _choose_kind,
    "layer": _one_of("layer", lambda session: session.layers),
    "areas": _one_of("areas", lambda session: (False, True)),
    "columns": _one_of("columns", lambda session: range(2, MOST_COLUMNS + 1)),
    "page": _turn_page,
    "example": _next_example,
    "flipped": _next_flipped,
    "tile": _open_tile,
    "prompt": _step("prompt"),
    "seed": _step("seed"),
}
