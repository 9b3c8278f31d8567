"""The picture of the page Choose: what was measured, and how far the search is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.i18n import _, plural
from workbench.panels import narrowing
from workbench.panels.buttons import choice
from workbench.panels.search_limits import next_limits, suggested
from workbench.panels.search_notebook import can_repeat
from workbench.panels.views.activity import working
from workbench.plots import goal, points, study, study_fields, study_progress, tradeoff
from workbench.plots.palette import Palette
from workbench.plots.spots import Landmark, Spot
from workbench.recipe.presets import PRESETS
from workbench.session import Session
from workbench.session.choosing import Choosing, visits_of
from workbench.zoo.reference import reference_label
from workbench.zoo.students import find_student

if TYPE_CHECKING:
    from workbench.study.other_networks import OtherNetwork
    from workbench.study.recommendation import Recommendation

RECIPES = {preset.name: preset.recipe.to_json() for preset in PRESETS}


def tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the picture of all recipes that were measured."""
    choosing = session.choosing
    line = None if choosing is None else activity(choosing)
    result = session.recommendation(next_limits(session))
    if result is None:
        return {"activity": line, "figure": _movable(_before(session, palette), session)}
    pictures = [
        ("recipes", _("size and {metric}").format(metric=result.goal.metric.label)),
        ("progress", _("progress")),
        ("fields", _("what good recipes have in common")),
    ]
    controls = [choice("choosing", _("picture"), session.focus.choosing, pictures)]
    if session.focus.choosing == "fields":
        controls += narrowing.controls(session)
    return {"activity": line, "controls": controls, "figure": _picture(session, result, palette)}


def _before(session: Session, palette: Palette) -> dict[str, Any]:
    """Draw what is known before a search: presets, and what was measured on Compress."""
    visits = visits_of(session.visited, session.model.name)
    presets = _presets(session)
    figure = tradeoff.draw(
        points.original(session.model),
        points.visited(visits, session.model.name),
        None,
        palette,
        goal=_goal(session, None),
        landmarks=presets,
        metric=session.model.task.metric,
        name=reference_label(session.model.name),
    )
    study.set_messages(figure, [visit.recipe for visit in visits])
    title = _("Known before the search: the presets")
    if not presets:  # only those of built-in models were measured
        title = _("Known before the search: the model without compression")
    if visits and not presets:
        title = plural(
            "Known before the search: {count} result of Compress",
            "Known before the search: {count} results of Compress",
            len(visits),
        ).format(count=formatting.count(len(visits)))
    elif visits:
        title = plural(
            "Known before the search: the presets, and {count} result of Compress",
            "Known before the search: the presets, and {count} results of Compress",
            len(visits),
        ).format(count=formatting.count(len(visits)))
    figure["layout"]["title"]["text"] = title
    return figure


def _picture(session: Session, result: Recommendation, palette: Palette) -> dict[str, Any]:
    if session.focus.choosing == "progress":
        return study_progress.draw(result.result, _worst(result), palette)
    if session.focus.choosing == "fields":
        from workbench.study.candidates import space_of

        return study_fields.draw(
            result.result,
            palette,
            narrowing.sentence(session),
            space=space_of(session.model),
            narrowed=session.focus.narrowed,
        )
    measured = {trial.key for trial in result.result.trials if trial.exact}
    landmarks = [mark for mark in _presets(session) if mark.recipe not in measured]
    figure = study.draw(
        result.result,
        palette,
        _goal(session, result),
        result.best if result.choices else None,
        met=result.met,
        landmarks=[*landmarks, *map(_network, [result.other] if result.other else [])],
    )
    return _movable(figure, session)


def _presets(session: Session) -> list[Landmark]:
    marks = points.presets(session.model, session.store)
    return [replace(mark, recipe=RECIPES[mark.name]) for mark in marks]


def _network(other: OtherNetwork) -> Landmark:
    value, known = other.trial.value or 0.0, find_student(other.name)
    label = other.name.partition("/")[2] if known is None else known.short_title
    spot = Spot(other.trial.bytes, value, value, value)
    return Landmark(label, spot, recipe=other.trial.key, model=other.name)


def _goal(session: Session, result: Recommendation | None) -> goal.Goal:
    """Return the limits to draw."""
    max_bytes, min_accuracy, _energy = next_limits(session)
    floor = min_accuracy if session.model.task.metric.counts == "classes" else None
    if floor is None and result is not None:
        floor = result.goal.floor
    return goal.Goal(max_bytes, floor, suggested=tuple(suggested(session)))


def _worst(result: Recommendation) -> float:
    """Return the metric of chance for classes, and otherwise the worst that was measured."""
    metric, classes = result.goal.metric, len(result.model.task.classes)
    if metric.counts == "classes" and classes:
        return 1 / classes
    values = [t.value for t in result.result.trials if t.exact and t.value is not None]
    return min(values, key=metric.sort_key, default=0.0)


def _movable(figure: dict[str, Any], session: Session) -> dict[str, Any]:
    """Let only those limits be dragged that a question sets."""
    if session.model.task.metric.counts != "classes":
        limits = figure["layout"]["meta"]["limits"]
        figure["layout"]["meta"]["limits"] = [each for each in limits if each["key"] == "budget"]
    return figure


def activity(choosing: Choosing) -> dict[str, Any]:
    """Return how far the search is, or what it did."""
    result = choosing.recommendation
    count = 0 if result is None else len(result.result.trials) - result.result.known
    if choosing.running:
        text = plural(
            "{count} recipe tried, about {seconds} s left",
            "{count} recipes tried, about {seconds} s left",
            count,
        ).format(count=formatting.count(count), seconds=round(choosing.seconds_left))
        return working("choose", text, choosing.fraction)
    if choosing.state == "stopped":
        text = plural(
            "Stopped after {count} recipe; it is kept.",
            "Stopped after {count} recipes; they are kept.",
            count,
        ).format(count=formatting.count(count))
        again = {"act": "continue_choosing", "text": _("continue")}
        return {"tone": "stopped", "text": text, "buttons": [again]}
    if result is None:
        return {"tone": "done", "text": "", "buttons": []}
    notebook = {"act": "choose_notebook", "text": _("notebook")}
    buttons = [notebook] if can_repeat(result) else []
    return {"tone": "done", "text": _ended(result), "buttons": buttons}


def _ended(result: Recommendation) -> str:
    """Return what a search did, and which of its recipes the picture shows."""
    from workbench.study.effort import exact_count, known_text

    trials = result.result
    tried = len(trials.trials) - trials.known
    text = plural(
        "{count} recipe tried.",
        "{count} recipes tried: {exact} measured on all examples, the dots; the others stopped "
        "early, too large or no better, which saved {saved} of the computing.",
        tried,
    )
    if trials.known:
        text = plural(
            "{count} more recipe tried.",
            "{count} more recipes tried: {exact} measured on all examples, which are the dots "
            "together with the known results; the others stopped early, too large or no better, "
            "which saved {saved} of the computing.",
            tried,
        )
    text = text.format(
        count=formatting.count(tried),
        exact=formatting.count(exact_count(trials)),
        saved=formatting.percent(max(0.0, trials.saved), 0),
    )
    return f"{known_text(trials)} {text}" if trials.known else text
