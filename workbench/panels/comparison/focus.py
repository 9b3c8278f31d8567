"""Changes of the session's focus that the controls above a view request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.panels import narrowing
from workbench.panels.comparison.attribution import selected_example, supports_attribution
from workbench.panels.comparison.examples import EXAMPLES, page_size, page_start
from workbench.panels.comparison.tab import selected_view, views
from workbench.panels.comparison.view import cached_comparison
from workbench.panels.search_limits import MAX_SECONDS
from workbench.session import Session
from workbench.zoo.readable import display_type

MAX_COLUMNS = 12


def update_focus(session: Session, key: str, value: Any) -> None:
    """Apply the value of a control; unknown controls and invalid values have no effect."""
    if key in CONTROLS:
        changes = CONTROLS[key](session, value)
        if changes:
            session.set_focus(**changes)


def _turn_page(session: Session, direction: Any) -> dict[str, Any]:
    comparison = cached_comparison(session)
    if comparison is None or direction not in (-1, 1):
        return {}
    return {"first": max(0, page_start(session, comparison) + direction * page_size(session))}


def _next_example(session: Session, direction: Any) -> dict[str, Any]:
    comparison = cached_comparison(session)
    if comparison is None or direction not in (-1, 1):
        return {}
    return {"example": (selected_example(session, comparison) + direction) % len(comparison)}


def _next_flipped(session: Session, direction: Any) -> dict[str, Any]:
    comparison = cached_comparison(session)
    if comparison is None or not len(comparison.flipped):
        return {}
    current = selected_example(session, comparison)
    later = comparison.flipped[comparison.flipped > current]
    return {"example": int(later[0] if len(later) else comparison.flipped[0])}


def _open_tile(session: Session, point: Any) -> dict[str, Any]:
    """Show the attribution of the example that was clicked at ``{x, y}``, in pixels."""
    from workbench.plots import flips

    comparison, focus = cached_comparison(session), session.focus
    valid = isinstance(point, Mapping) and all(isinstance(point.get(k), int) for k in ("x", "y"))
    has_tiles = selected_view(session) is EXAMPLES and supports_attribution(session.model.task)
    if comparison is None or not has_tiles or not valid:
        return {}
    input_type = display_type(session.model.task)
    tile = flips.tile_at(point["x"], point["y"], focus.columns, input_type)
    examples = flips.visible_examples(
        comparison, focus.kind, page_start(session, comparison), focus.columns, input_type
    )
    if not 0 <= tile < len(examples):
        return {}
    return {"view": "attribution", "example": examples[tile]}


def _one_of(field: str, allowed: Callable[[Session], Any]) -> Callable[[Session, Any], Any]:
    """Return a function that sets `field` to an allowed value."""

    def change(session: Session, value: Any) -> dict[str, Any]:
        valid = isinstance(value, str | bool | int) and value in allowed(session)
        return {field: value} if valid and value != getattr(session.focus, field) else {}

    return change


def _step(field: str) -> Callable[[Session, Any], Any]:
    """Return a function that increments or decrements `field`, which is at least 0."""

    def change(session: Session, direction: Any) -> dict[str, Any]:
        current = getattr(session.focus, field)
        return {field: max(0, current + direction)} if direction in (-1, 1) else {}

    return change


def _compared(session: Session, value: Any) -> dict[str, Any]:
    return {"plan": session.focus.plan.changed({"compared": value})}


def _search_seconds(session: Session, value: Any) -> dict[str, Any]:
    valid = isinstance(value, int | float) and 0 < value <= MAX_SECONDS
    return {"search_seconds": value} if valid and value is not True else {}


def _choose_kind(session: Session, value: Any) -> dict[str, Any]:
    from workbench.plots import flips

    return {"kind": value, "first": 0} if value in list(flips.KINDS) else {}


CONTROLS: dict[str, Callable[[Session, Any], dict[str, Any]]] = {
    "view": _one_of("view", lambda session: [x.key for x in views(session.model.task)]),
    "kind": _choose_kind,
    "layer": _one_of("layer", lambda session: session.layers),
    "areas": _one_of("areas", lambda session: (False, True)),
    "loss": _one_of("loss", lambda session: (False, True)),
    "accuracy": _one_of("accuracy", lambda session: (False, True)),
    "replay": _one_of("replay", lambda session: (False, True)),
    "choosing": _one_of("choosing", lambda session: ("recipes", "progress", "fields")),
    "narrowed": narrowing.brushed,
    "axis": _one_of("axis", lambda session: narrowing.fields(session.model)),
    "search_seconds": _search_seconds,
    "first_value": narrowing.first_chosen,
    "last_value": narrowing.last_chosen,
    "all_values": narrowing.cleared,
    "columns": _one_of("columns", lambda session: range(2, MAX_COLUMNS + 1)),
    "page": _turn_page,
    "example": _next_example,
    "flipped": _next_flipped,
    "tile": _open_tile,
    "prompt": _step("prompt"),
    "seed": _step("seed"),
    "compared": _compared,
}
