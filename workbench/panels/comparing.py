"""The tab that shows what compression changed: views of the original beside the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench import figures
from workbench.errors import WorkbenchError
from workbench.panels import written
from workbench.panels.words import examples
from workbench.plots.palette import Palette
from workbench.plots.style import Figure
from workbench.session import Session
from workbench.session.findings import Wanted
from workbench.text import _
from workbench.text import mark as N_
from workbench.zoo import Task
from workbench.zoo.reading import Reader, kind_of

if TYPE_CHECKING:
    from workbench.evaluation.changes import Changes

CHANGES = Wanted("changes")
NARROW = 6
"""With fewer tiles than this side by side, matrices stand below one another."""
MOST_COLUMNS = 12
MOST_CLASSES = 50
"""More classes than this make no matrix that can be read."""
CHARACTERS = 200
"""How many characters the original and the file write."""


@dataclass(frozen=True)
class View:
    """One view of the tab.

    Its key and name, which tasks it fits, what it needs to know, what fills it, its data, its
    controls.
    """

    key: str
    label: Callable[[Task], str]
    fits: Callable[[Task], bool]
    wants: Callable[[Session], Wanted]
    fill: Callable[[Session, Any, Palette], dict[str, Any]]
    rows: Callable[[Session, Any], list[dict[str, Any]]]
    controls: Callable[[Session], list[dict[str, Any]]] = lambda session: []


def tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the chosen view, as far as what it shows is known."""
    view, task = shown(session), session.model.task
    bar = [
        choice("view", _("view"), view.key, [(one.key, one.label(task)) for one in views(task)]),
        *view.controls(session),
    ]
    found = _found(session, view)
    if found is None:
        waits = _("Comparing the original and the file, once the numbers are exact.")
        return {"controls": bar, "note": waits, "keep": True}
    return {"controls": bar, **view.fill(session, found, palette)}


def views(task: Task) -> list[View]:
    """Return the views that a task can have."""
    return [view for view in VIEWS if view.fits(task)]


def shown(session: Session) -> View:
    """Return the chosen view, or the first where the task does not have it."""
    fitting = views(session.model.task)
    return next((view for view in fitting if view.key == session.focus.view), fitting[0])


def wants(session: Session) -> Wanted | None:
    """Return what the chosen view still needs to know, or None."""
    wanted = shown(session).wants(session)
    return wanted if session.found(wanted.kind, wanted.of) is None else None


def rows(session: Session) -> list[dict[str, Any]]:
    """Return the data of the chosen view.

    Raises
    ------
    WorkbenchError
        While it is not known.
    """
    view = shown(session)
    found = _found(session, view)
    if found is None:
        raise WorkbenchError(_("The comparison is being made: try again in a moment."))
    return view.rows(session, found)


def choice(key: str, label: str, value: Any, choices: list[tuple[Any, str]]) -> dict[str, Any]:
    """Return a row of buttons of which one is pressed, as the page wants it."""
    named = [{"value": value, "label": label} for value, label in choices]
    return {"kind": "buttons", "key": key, "label": label, "value": value, "choices": named}


def look(session: Session, key: str, value: Any) -> None:
    """Do what a control of the tab asks; what makes no sense, whoever sent it, is let be."""
    if key in LOOKS:
        changes = LOOKS[key](session, value)
        if changes:
            session.look_at(**changes)


def _found(session: Session, view: View) -> Any:
    wanted = view.wants(session)
    return session.found(wanted.kind, wanted.of)


def _changes(session: Session) -> Changes | None:
    found: Changes | None = session.found(*_parts(CHANGES))
    return found


def _narrow(session: Session) -> bool:
    return session.focus.columns < NARROW


def _parts(wanted: Wanted) -> tuple[str, Any]:
    return wanted.kind, wanted.of


def _figure(
    draw: Callable[[Session, Any, Palette], Figure],
) -> Callable[[Session, Any, Palette], dict[str, Any]]:
    """Return what fills the tab with a picture, as high as its units ask for."""

    def fill(session: Session, found: Any, palette: Palette) -> dict[str, Any]:
        from workbench.plots.sheet import page_height

        figure = draw(session, found, palette)
        return {"figure": figure, "height": page_height(figure)}

    return fill


def _named(label: str) -> Callable[[Task], str]:
    return lambda task: _(label)


def _knows_classes(task: Task) -> bool:
    return task.metric.counts == "classes"


def _knows_few_classes(task: Task) -> bool:
    return _knows_classes(task) and len(task.classes) <= MOST_CLASSES


# --- examples ----------------------------------------------------------------------------


def _examples_label(task: Task) -> str:
    return _("pictures") if task.form == "image" else examples(task.form)


def _kind(session: Session) -> str:
    return kind_of(session.model.task)


def _page(session: Session) -> int:
    from workbench.plots import flips

    return flips.page(session.focus.columns, _kind(session))


def _first(session: Session, changes: Changes) -> int:
    """Return how many examples are passed over: whole pages of those there are."""
    page = _page(session)
    last = max(0, len(getattr(changes, session.focus.kind)) - 1) // page
    return min(session.focus.first // page, last) * page


def _draw_pictures(session: Session, found: Changes, palette: Palette) -> Figure:
    from workbench.plots import flips

    focus, task = session.focus, session.model.task
    return flips.draw(
        found,
        Reader(task, task.split(found.split).examples),
        palette,
        kind=focus.kind,
        first=_first(session, found),
        columns=focus.columns,
        form=_kind(session),
    )


def _picture_controls(session: Session) -> list[dict[str, Any]]:
    from workbench.plots import flips

    found = _changes(session)
    if found is None:
        return []
    kinds = [
        (kind, f"{_(label)} ({len(getattr(found, kind))})") for kind, label in flips.KINDS.items()
    ]
    page = _page(session)
    first, count = _first(session, found), len(getattr(found, session.focus.kind))
    return [
        choice("kind", _("which"), session.focus.kind, kinds),
        _button("page", -1, _("previous"), first == 0),
        _button("page", 1, _("next"), first + page >= count),
    ]


def _button(key: str, value: int, text: str, disabled: bool = False) -> dict[str, Any]:
    return {"kind": "button", "key": key, "value": value, "text": text, "disabled": disabled}


# --- classes -----------------------------------------------------------------------------


def _draw_confusion(session: Session, found: Changes, palette: Palette) -> Figure:
    from workbench.plots import confusion

    before, after = (tally.confusion for tally in found.tallies)
    return confusion.draw(before, after, found.classes, palette, stacked=_narrow(session))


def _confusion_rows(session: Session, found: Changes) -> list[dict[str, Any]]:
    from workbench.plots import confusion

    before, after = (tally.confusion for tally in found.tallies)
    return confusion.rows(before, after, found.classes)


def _draw_recall(session: Session, found: Changes, palette: Palette) -> Figure:
    from workbench.plots import recall

    return recall.draw(*found.recall, found.classes, palette)


def _recall_rows(session: Session, found: Changes) -> list[dict[str, Any]]:
    from workbench.plots import recall

    return recall.rows(*found.recall, found.classes)


# --- what it looks at --------------------------------------------------------------------


def _example(session: Session, changes: Changes) -> int:
    """Return the example picked, or the first that went wrong, or the first that changed."""
    if session.focus.example is not None:
        return session.focus.example % len(changes)
    for numbers in (changes.lost, changes.flipped):
        if len(numbers):
            return int(numbers[0])
    return 0


def _wants_attribution(session: Session) -> Wanted:
    changes = _changes(session)
    return CHANGES if changes is None else Wanted("attribution", _example(session, changes))


def _draw_attribution(session: Session, found: Any, palette: Palette) -> Figure:
    from workbench.plots import attribution

    return attribution.draw(found, palette, columns=session.focus.columns)


def _attribution_rows(session: Session, found: Any) -> list[dict[str, Any]]:
    from workbench.plots import attribution

    return attribution.rows(found)


def _attribution_controls(session: Session) -> list[dict[str, Any]]:
    changes = _changes(session)
    if changes is None:
        return []
    shown = _("example {number} of {count}, counted from 0").format(
        number=figures.count(_example(session, changes)), count=figures.count(len(changes))
    )
    return [
        _button("example", -1, _("previous")),
        _button("example", 1, _("next")),
        _button("flipped", 1, _("next that changed"), not len(changes.flipped)),
        {"kind": "text", "text": shown},
    ]


def _explains(task: Task) -> bool:
    return _knows_classes(task) and kind_of(task) in ("image", "words", "frames")


# --- what it writes ----------------------------------------------------------------------


def _writes(task: Task) -> bool:
    return task.form == "characters" and task.metric.counts == "tokens"


def _fill_written(session: Session, found: Any, palette: Palette) -> dict[str, Any]:
    return {"written": written.content(found)}


def _written_controls(session: Session) -> list[dict[str, Any]]:
    focus = session.focus
    said = _("prompt {prompt}, seed {seed}").format(
        prompt=figures.count(focus.prompt + 1), seed=figures.count(focus.seed)
    )
    return [
        _button("prompt", -1, _("previous prompt"), not focus.prompt),
        _button("prompt", 1, _("next prompt")),
        _button("seed", -1, _("previous seed"), not focus.seed),
        _button("seed", 1, _("next seed")),
        {"kind": "text", "text": said},
    ]


# --- weights -----------------------------------------------------------------------------


def _layer(session: Session) -> str:
    return session.focus.layer or session.layers[0]


def _draw_weights(session: Session, found: Any, palette: Palette) -> Figure:
    from workbench.plots import weights

    return weights.draw(found, palette)


def _weight_rows(session: Session, found: Any) -> list[dict[str, Any]]:
    from workbench.plots import weights

    return weights.rows(found)


def _weight_controls(session: Session) -> list[dict[str, Any]]:
    layers = [{"value": name, "label": name} for name in session.layers]
    shown = _layer(session)
    return [
        {"kind": "select", "key": "layer", "label": _("layer"), "value": shown, "choices": layers}
    ]


VIEWS = (
    View(
        "written",
        _named(N_("what it writes")),
        _writes,
        lambda session: Wanted("writing", (session.focus.prompt, session.focus.seed, CHARACTERS)),
        _fill_written,
        lambda session, found: written.rows(found),
        _written_controls,
    ),
    View(
        "pictures",
        _examples_label,
        _knows_classes,
        lambda session: CHANGES,
        _figure(_draw_pictures),
        lambda session, found: found.rows(),
        _picture_controls,
    ),
    View(
        "recall",
        _named(N_("classes")),
        _knows_few_classes,
        lambda session: CHANGES,
        _figure(_draw_recall),
        _recall_rows,
    ),
    View(
        "confusion",
        _named(N_("confusions")),
        _knows_few_classes,
        lambda session: CHANGES,
        _figure(_draw_confusion),
        _confusion_rows,
    ),
    View(
        "attribution",
        _named(N_("what it looks at")),
        _explains,
        _wants_attribution,
        _figure(_draw_attribution),
        _attribution_rows,
        _attribution_controls,
    ),
    View(
        "weights",
        _named(N_("weights")),
        lambda task: True,
        lambda session: Wanted("histogram", _layer(session)),
        _figure(_draw_weights),
        _weight_rows,
        _weight_controls,
    ),
)


# --- what the controls ask ---------------------------------------------------------------


def _turn_page(session: Session, way: Any) -> dict[str, Any]:
    changes = _changes(session)
    if changes is None or way not in (-1, 1):
        return {}
    return {"first": max(0, _first(session, changes) + way * _page(session))}


def _next_example(session: Session, way: Any) -> dict[str, Any]:
    changes = _changes(session)
    if changes is None or way not in (-1, 1):
        return {}
    return {"example": (_example(session, changes) + way) % len(changes)}


def _next_flipped(session: Session, way: Any) -> dict[str, Any]:
    changes = _changes(session)
    if changes is None or not len(changes.flipped):
        return {}
    here = _example(session, changes)
    later = changes.flipped[changes.flipped > here]
    return {"example": int(later[0] if len(later) else changes.flipped[0])}


def _open_tile(session: Session, spot: Any) -> dict[str, Any]:
    """Show what the network looks at in the example that was clicked, at {x, y} of the picture."""
    from workbench.plots import flips

    changes, focus = _changes(session), session.focus
    whole = isinstance(spot, Mapping) and all(isinstance(spot.get(k), int) for k in ("x", "y"))
    pictured = shown(session).key == "pictures" and _explains(session.model.task)
    if changes is None or not pictured or not whole:
        return {}
    form = _kind(session)
    place = flips.tile_at(spot["x"], spot["y"], focus.columns, form)
    numbers = flips.shown(changes, focus.kind, _first(session, changes), focus.columns, form)
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
