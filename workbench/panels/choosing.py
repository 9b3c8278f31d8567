"""The page Choose: questions, cards of recommended recipes, and all measured results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.domain.metric import ACCURACY
from workbench.evaluation.uncompressed_file import uncompressed_bytes
from workbench.i18n import _
from workbench.panels import goal as goal_panel
from workbench.panels.search_limits import (
    KEYS,
    KILOBYTE,
    MAX_SECONDS,
    energy_text,
    has_accuracy,
    next_limits,
    suggested,
)
from workbench.profiling.energy.machine import Machine
from workbench.recipe.description import describe
from workbench.session import Session
from workbench.zoo.reference import reference
from workbench.zoo.registry import title as title_of
from workbench.zoo.students import find_student

if TYPE_CHECKING:
    from workbench.study.recommendation import Recommendation
    from workbench.study.trial import Trial


def section(session: Session) -> dict[str, Any]:
    """Return the texts and the questions."""
    helps = _helps(session)
    max_bytes, min_accuracy, max_energy = next_limits(session)
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
    if has_accuracy(session):
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
            "value": session.focus.search_seconds,
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
        "suggested": _("suggested"),
        "open": _("open on Compress"),
        "reasons": _("Why"),
    }


def _helps(session: Session) -> dict[str, str]:
    """Return the help text of the questions about size and accuracy, by the question's key.

    It says the size and the accuracy of the uncompressed model, or of the selected student.
    """
    model = session.model
    size = _("The size of the original is {size}. Leave it empty for the smallest file.")
    accuracy = _(
        "The accuracy of the original is {accuracy}. Leave it empty for the best accuracy."
    )
    if session.student is not None:
        size = _("The size of the student is {size}. Leave it empty for the smallest file.")
        accuracy = _(
            "The accuracy of the student is {accuracy}. Leave it empty for the best accuracy."
        )
    helps = {"max_bytes": size.format(size=formatting.size(uncompressed_bytes(model)))}
    if has_accuracy(session):
        percent = formatting.percent(model.accuracy("validation"))
        helps["min_accuracy"] = accuracy.format(accuracy=percent)
    return helps


def _searched(session: Session) -> str:
    """Return which model is searched."""
    model = _(title_of(session.origin))
    if session.student is not None:
        text = _("{student}, in place of {model}")
        model = text.format(student=session.student.short_title, model=model)
    return _("Model: {model}").format(model=model)


def seconds_text() -> str:
    """Return the error message for a search time that is out of range."""
    return _("The time must be above 0 and at most {maximum} seconds.").format(
        maximum=formatting.count(MAX_SECONDS)
    )


def live(session: Session) -> dict[str, Any]:
    """Return the limits of the next search, the help texts, and the results so far."""
    return {
        "limits": dict(zip(KEYS, next_limits(session), strict=True)),
        "suggested": suggested(session),
        "helps": _helps(session),
        "searched": _searched(session),
        **_results(session),
    }


def _results(session: Session) -> dict[str, Any]:
    choosing = session.choosing
    result = session.recommendation(next_limits(session))
    working = choosing is not None and choosing.running
    if choosing is None or result is None or not result.choices:
        headline = _("Every recipe that is shown here was measured on this model.")
        if session.student is not None:
            headline = _("Every recipe that is shown here was measured on {student}.").format(
                student=reference(session.model.name)
            )
        return {"working": working, "headline": headline, "met": False, "cards": [], "reasons": []}
    headline = _headline(result, working=working)
    if next_limits(session) != choosing.demand.limits:
        headline = _other_limits(result)
    cards = [
        _card(title, describe(trial.recipe), trial, result)
        for title, trial in zip(_titles(result), result.choices, strict=True)
    ]
    if (other := result.other) is not None:
        name = formatting.titled(_(title_of(other.name)), describe(other.trial.recipe))
        title = _("another network: {advantage}").format(advantage=other.advantage(result.goal))
        card = _card(title, name, other.trial, result)
        cards.append({**card, "model": other.name})
    return {
        "working": working,
        "headline": headline,
        "met": result.met,
        "cards": cards,
        "reasons": list(result.reasons),
    }


def _headline(result: Recommendation, *, working: bool) -> str:
    """Return a sentence that says whether the recipes meet the limits of the search."""
    if result.met:
        return _("These recipes meet the limits.")
    if result.other is not None and working:
        return _(
            "No recipe of this network meets the limits so far, but another network does. The "
            "nearest recipe is:"
        )
    if result.other is not None:
        return _(
            "No recipe of this network meets the limits, but another network does. The nearest "
            "recipe is:"
        )
    if working:
        return _("No recipe meets the limits so far. The nearest recipe is:")
    if result.violations:
        return _("No recipe meets the limits. The nearest recipe is:")
    return _("No recipe is known to meet the limits. The nearest recipe is:")


def _other_limits(result: Recommendation) -> str:
    """Return a sentence that says whether measured recipes meet limits that were set later."""
    if result.met:
        return _("These measured recipes meet the new limits: search again for better ones.")
    if result.other is not None:
        return _(
            "No measured recipe of this network meets the new limits; another network does. "
            "The nearest:"
        )
    return _("No measured recipe meets the new limits: search again. The nearest:")


def _card(title: str, name: str, trial: Trial, result: Recommendation) -> dict[str, Any]:
    metric, energy = result.goal.metric, result.cost(trial).energy
    is_student = find_student(result.model.name) is not None
    smaller = _("smaller than the student") if is_student else _("smaller")
    facts = [
        (formatting.nbytes(trial.bytes), _("file")),
        (formatting.times(uncompressed_bytes(result.model) / trial.bytes), smaller),
        (metric.format(trial.value or 0.0), metric.label),
    ]
    other, bounds = result.other, result.goal.on_test(trial)
    if other is not None and other.trial is trial:
        bounds = other.on_test(result.goal)
    if bounds is not None:
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


def _titles(result: Recommendation) -> list[str]:
    """Return a title for each recommended recipe: its advantage over the first one."""
    from workbench.study.choices import BETTER, FASTER, NEARLY_AS_SMALL, SMALLER, advantages

    if not result.met:
        return [_("nearest to the limits")]
    metric = result.goal.metric.label
    titles = [_("recommended")]
    if result.other is not None and result.other.dominates(result.goal):
        titles = [_("recommended for this network")]
    names = {
        NEARLY_AS_SMALL: _("better {metric}, nearly as small").format(metric=metric),
        BETTER: _("better {metric}").format(metric=metric),
        SMALLER: _("smaller file"),
        FASTER: _("fewer multiplications"),
    }
    others = result.choices[1:]
    advantage = advantages(result.goal.metric, result.best, others)
    return titles + [names[advantage[trial]] for trial in others]
