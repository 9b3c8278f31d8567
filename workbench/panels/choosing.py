"""The page Choose: three questions, three cards, and the picture of all that was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain.metric import ACCURACY
from workbench.i18n import _, plural
from workbench.panels import goal as goal_panel
from workbench.panels import narrowing
from workbench.panels.buttons import choice
from workbench.panels.search_notebook import can_repeat
from workbench.panels.views.activity import working
from workbench.plots import goal, points, study, study_fields, study_progress, tradeoff
from workbench.plots.palette import Palette
from workbench.profiling.energy.machine import Machine
from workbench.recipe.description import describe
from workbench.session import Session
from workbench.session.choosing import Choosing
from workbench.session.records import Limits
from workbench.zoo.registry import title as title_of

if TYPE_CHECKING:
    from workbench.study.recommendation import Recommendation
    from workbench.study.trial import Trial

SECONDS = 30
MAX_SECONDS = 3600
KILOBYTE = 1000
SMALL = 0.1
"""The suggested largest file, as a fraction of the original."""
LOSS = 0.02
"""The suggested smallest accuracy, below the original's."""
LIMITS = ("max_bytes", "min_accuracy", "max_energy_mj")


def section(session: Session) -> dict[str, Any]:
    """Return the texts and the questions."""
    helps, demand = _helps(session), session.choosing.demand if session.choosing else None
    max_bytes, min_accuracy, max_energy = _limits(session)
    questions = [
        {
            "key": "max_bytes",
            "label": _("How large may the file be?"),
            "help": helps["max_bytes"],
            "unit": _("kB"),
            "value": max_bytes and max_bytes / KILOBYTE,
            "scale": KILOBYTE,
            "step": "any",
            "bounds": goal_panel.bounds(ACCURACY)["budget"],
        }
    ]
    if _has_accuracy(session):
        questions.append(
            {
                "key": "min_accuracy",
                "label": _("How accurate must it be?"),
                "help": helps["min_accuracy"],
                "unit": "%",
                "value": min_accuracy and round(100 * min_accuracy, 4),
                "scale": 0.01,
                "step": "any",
                "bounds": goal_panel.bounds(ACCURACY)["floor"],
            }
        )
    if Machine().open(gpus=False).has_counter:
        questions.append(
            {
                "key": "max_energy_mj",
                "label": _("How much energy may one example take?"),
                "help": _("The counter of the processor measures it. Leave it empty for no limit."),
                "unit": "mJ",
                "value": max_energy,
                "scale": 1,
                "step": "any",
                "bounds": {"above": 0, "most": None, "text": energy_text()},
            }
        )
    questions.append(
        {
            "key": "seconds",
            "label": _("How long may it search?"),
            "help": _("A first answer comes within seconds; more time finds smaller files."),
            "unit": _("s"),
            "value": SECONDS if demand is None else demand.seconds,
            "scale": 1,
            "step": "any",
            "bounds": {"above": 0, "most": MAX_SECONDS, "required": True, "text": seconds_text()},
        }
    )
    return {
        "title": _("Which recipe suits me?"),
        "questions": questions,
        "start": _("Find recipes"),
        "cards": _("Recommended recipes"),
        "none": _("no limit"),
        "open": _("open on Compress"),
        "reasons": _("Why"),
    }


def _helps(session: Session) -> dict[str, str]:
    """Return what the searched model has, a student if one is selected, by key of the question."""
    model = session.model
    size = _("The original has {size}. Leave it empty for the smallest file.")
    accuracy = _("The original has {accuracy}. Leave it empty for the best.")
    if session.student is not None:
        size = _("The student has {size}. Leave it empty for the smallest file.")
        accuracy = _("The student has {accuracy}. Leave it empty for the best.")
    helps = {"max_bytes": size.format(size=formatting.size(model.original_bytes))}
    if _has_accuracy(session):
        percent = formatting.percent(model.accuracy("validation"))
        helps["min_accuracy"] = accuracy.format(accuracy=percent)
    return helps


def seconds_text() -> str:
    """Return the answer to a time that cannot be searched."""
    return _("The time must be above 0 and at most {maximum} seconds.").format(
        maximum=formatting.count(MAX_SECONDS)
    )


def energy_text() -> str:
    """Return the answer to an energy that is no limit."""
    return _("The energy must be a number above 0; leave it empty for no limit.")


def limits(message: Mapping[str, Any]) -> Limits:
    """Return the bytes, the accuracy and the millijoules of a message of the page.

    Raises
    ------
    InputError
        If one of them is not allowed.
    """
    largest = goal_panel.limit(message.get("max_bytes"), 0, None, goal_panel.budget_text())
    floor = goal_panel.floor_bounds(ACCURACY), goal_panel.floor_text(ACCURACY)
    smallest = goal_panel.limit(message.get("min_accuracy"), *floor[0], floor[1])
    energy = goal_panel.limit(message.get("max_energy_mj"), 0, None, energy_text())
    return None if largest is None else max(1, round(largest)), smallest, energy


def live(session: Session) -> dict[str, Any]:
    """Return the next limits, what the model has, and the results of the search so far."""
    limits = dict(zip(LIMITS, _limits(session), strict=True))
    return {"limits": limits, "helps": _helps(session), **_results(session)}


def _results(session: Session) -> dict[str, Any]:
    choosing = session.choosing
    result = choosing.recommendation if choosing is not None else None
    working = choosing is not None and choosing.running
    if choosing is None or result is None or not result.choices:
        headline = _("Every recipe that is shown here was measured on this model.")
        return {"working": working, "headline": headline, "met": False, "cards": [], "reasons": []}
    headline = _("No recipe is known to meet the limits; the nearest:")
    if result.met:
        headline = _("These recipes meet the limits.")
    elif working:
        headline = _("No recipe meets the limits so far; the nearest:")
    elif result.violations:
        headline = _("No recipe meets the limits; the nearest:")
    searched = result.goal.max_bytes, result.goal.min_accuracy, result.goal.max_energy_mj
    changed = not working and _limits(session) != searched
    if changed:
        headline = _("Found under the limits of the last search: find recipes under the new ones.")
    titles = _titles(result.choices) if result.met else [_("nearest to the limits")]
    cards = [
        _card(title, describe(trial.recipe), trial, result)
        for title, trial in zip(titles, result.choices, strict=False)
    ]
    if (other := result.other) is not None:
        name = f"{title_of(other.name)}: {describe(other.trial.recipe)}"
        card = _card(_("another network"), name, other.trial, result)
        cards.append({**card, "model": other.name})
    return {
        "working": working,
        "headline": headline,
        "met": result.met and not changed,
        "cards": cards,
        "reasons": list(result.reasons),
    }


def _card(title: str, name: str, trial: Trial, result: Recommendation) -> dict[str, Any]:
    metric, energy = result.goal.metric, result.cost(trial).energy
    facts = [
        (formatting.nbytes(trial.bytes), _("file")),
        (formatting.times(result.model.original_bytes / trial.bytes), _("smaller")),
        (metric.format(trial.value or 0.0), _(metric.name)),
    ]
    if (bounds := result.goal.on_test(trial)) is not None:
        low, high = bounds
        text = f"{formatting.percent(low)} – {formatting.percent(high)}"
        facts.append((text, _("expected on test")))
    if energy is not None:
        facts.append((energy.amount, _("energy of one example")))
    return {
        "title": title,
        "name": name,
        "facts": [{"value": value, "label": label} for value, label in facts],
        "recipe": trial.recipe.to_json(),
        "model": None,
    }


def tab(session: Session, palette: Palette) -> dict[str, Any]:
    """Return the picture of all recipes that were measured."""
    choosing = session.choosing
    line = None if choosing is None else _activity(choosing)
    result = choosing.recommendation if choosing is not None else None
    if result is None:
        figure = tradeoff.draw(
            points.original(session.model),
            [],
            None,
            palette,
            goal=_goal(session, None),
            landmarks=points.presets(session.model, session.store),
            metric=session.model.task.metric,
        )
        figure["layout"]["title"]["text"] = _("Known before the search: the presets")
        return {"activity": line, "figure": _movable(figure, session)}
    pictures = [
        ("recipes", _("size and {metric}").format(metric=_(result.goal.metric.name))),
        ("progress", _("progress")),
        ("fields", _("what good recipes have in common")),
    ]
    controls = [choice("choosing", _("picture"), session.focus.choosing, pictures)]
    if session.focus.choosing == "fields":
        controls += narrowing.controls(session)
    return {"activity": line, "controls": controls, "figure": _picture(session, result, palette)}


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
    limits = _goal(session, result)
    best, meets = (result.best, result.meets_costs) if result.choices else (None, True)
    return _movable(study.draw(result.result, palette, limits, best, meets_costs=meets), session)


def _goal(session: Session, result: Recommendation | None) -> goal.Goal:
    """Return the limits to draw."""
    max_bytes, min_accuracy, _energy = _limits(session)
    floor = min_accuracy if session.model.task.metric.counts == "classes" else None
    if floor is None and result is not None:
        floor = result.goal.floor
    return goal.Goal(max_bytes, floor)


def _worst(result: Recommendation) -> float:
    """Return the metric of chance for classes, and otherwise the worst that was measured."""
    metric, classes = result.goal.metric, len(result.model.task.classes)
    if metric.counts == "classes" and classes:
        return 1 / classes
    values = [t.value for t in result.result.trials if t.exact and t.value is not None]
    return min(values, key=metric.sort_key, default=0.0)


def _limits(session: Session) -> Limits:
    """Return the limits of the next search.

    Those that are set, else those of the last search, else the goal, else suggested ones.
    """
    if session.goal.search is not None:
        return session.goal.search
    if session.choosing is not None:
        return session.choosing.demand.limits
    largest = session.budget
    if largest is None:
        largest = round(_rounded(SMALL * session.model.original_bytes / KILOBYTE) * KILOBYTE)
    if not _has_accuracy(session):
        return largest, None, None
    suggested = round(session.model.accuracy("validation") - LOSS, 2)
    is_set = session.floor is not None and session.model.task.metric == ACCURACY
    return largest, session.floor if is_set else suggested, None


def _movable(figure: dict[str, Any], session: Session) -> dict[str, Any]:
    """Let only those limits be dragged that a question sets."""
    if session.model.task.metric.counts != "classes":
        limits = figure["layout"]["meta"]["limits"]
        figure["layout"]["meta"]["limits"] = [each for each in limits if each["key"] == "budget"]
    return figure


def _activity(choosing: Choosing) -> dict[str, Any]:
    result = choosing.recommendation
    count = 0 if result is None else len(result.result.trials)
    if choosing.running:
        text = plural(
            "{count} recipe measured, about {seconds} s left",
            "{count} recipes measured, about {seconds} s left",
            count,
        ).format(count=count, seconds=round(choosing.seconds_left))
        return working("choose", text, choosing.fraction)
    if choosing.state == "stopped":
        text = plural(
            "Stopped after {count} recipe; it is kept.",
            "Stopped after {count} recipes; they are kept.",
            count,
        ).format(count=count)
        again = {"act": "continue_choosing", "text": _("continue")}
        return {"tone": "stopped", "text": text, "buttons": [again]}
    saved = 0.0 if result is None else result.result.saved
    text = plural(
        "{count} recipe measured; {saved} of the evaluations were not needed.",
        "{count} recipes measured; {saved} of the evaluations were not needed.",
        count,
    ).format(count=count, saved=formatting.percent(saved, 0))
    notebook = {"act": "choose_notebook", "text": _("notebook")}
    buttons = [notebook] if result is not None and can_repeat(result) else []
    return {"tone": "done", "text": text, "buttons": buttons}


def _titles(choices: tuple[Trial, ...]) -> list[str]:
    """Return what each choice is best in, compared with the first."""
    first = choices[0]
    titles = [_("recommended")]
    for trial in choices[1:]:
        if trial.bytes < first.bytes:
            titles.append(_("smaller file"))
        elif trial.recipe.structure is not None and first.recipe.structure is None:
            titles.append(_("fewer multiplications"))
        else:
            titles.append(_("closer to the original"))
    return titles


def _has_accuracy(session: Session) -> bool:
    scores = session.model.card["accuracy"]["validation"]
    return "correct" in scores or "accuracy" in scores


def _rounded(value: float) -> float:
    """Return a number with two significant digits."""
    return float(f"{value:.2g}")
