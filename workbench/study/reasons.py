"""Reasons for a recommendation, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from workbench import formatting
from workbench.domain.metric import Metric
from workbench.i18n import _, plural
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Recipe
from workbench.recipe.description import describe
from workbench.recipe.recipe import BASELINES
from workbench.study.effort import effort
from workbench.study.goal import TOLERATED, Goal
from workbench.study.result import StudyResult
from workbench.study.trial import BELOW_LIMIT, FAILED, Trial
from workbench.zoo.reference import reference

MAX_LOSS = 0.05
"""A smaller file is mentioned if it loses at most this much of the metric."""
SMALL = 0.02
"""A front point is mentioned if its file is smaller by at least this fraction."""

NOTABLE = 0.003
"""A loss from validation to test is mentioned if it is at least this large."""


def without_each_part(recipe: Recipe) -> list[Recipe]:
    """Return the recipe with its fast methods, and without each of its parts, if it has two."""
    parts = recipe.as_dict()
    others = [recipe.baseline] if recipe.baseline != recipe else []
    if len(parts) > 1:
        others += [replace(recipe, **{key: None}) for key in parts if key != "adjust"]
    return list(dict.fromkeys(others))


def just_below(best: Trial, goal: Goal, result: StudyResult) -> list[Recipe]:
    """Return the recipe of the smallest file that misses the floor by little, if there is one."""
    floor = goal.floor
    if floor is None or not goal.meets(best):
        return []
    loss = TOLERATED if goal.metric.is_fraction else TOLERATED * abs(floor)
    near = [
        trial
        for trial in result.trials
        if trial.state == BELOW_LIMIT
        and trial.bytes <= (1 - SMALL) * best.bytes
        and goal.metric.sort_key(trial.first) >= goal.metric.sort_key(floor) - loss
    ]
    return [min(near, key=lambda trial: trial.bytes).recipe] if near else []


def headline(best: Trial, result: StudyResult) -> str:
    """Return how large and how good the recommended file is."""
    size, value = result.original
    if best.bytes < size:
        compared = _("{times} smaller than {original}").format(
            times=formatting.times(size / best.bytes), original=reference(result.study.model)
        )
    else:
        compared = _("not smaller than the uncompressed file of {original}, {size}").format(
            size=formatting.nbytes(size), original=reference(result.study.model)
        )
    return _(
        "{recipe}: {bytes}, {compared}, {metric} {value} ({change}) on all {count} validation "
        "examples."
    ).format(
        recipe=describe(best.recipe),
        bytes=formatting.nbytes(best.bytes),
        compared=compared,
        metric=result.metric.label,
        value=_value(best, result.metric),
        change=result.metric.difference(best.value or 0.0, value),
        count=f"{best.total:,}",
    )


def contributions(best: Trial, result: StudyResult) -> Iterator[str]:
    """Yield what each part of the best recipe changes, from the same recipe without it."""
    exact = {trial.recipe: trial for trial in result.trials if trial.exact}
    for recipe in without_each_part(best.recipe):
        other = exact.get(recipe)
        if other is None or best.value is None or other.value is None:
            continue
        if recipe == best.recipe.baseline:
            yield _(
                "With {methods}, the {metric} changes by {change}; that takes {seconds} s."
            ).format(
                methods=_slow_methods(best.recipe),
                metric=result.metric.label,
                change=result.metric.difference(best.value, other.value),
                seconds=formatting.number(best.compress_seconds),
            )
            continue
        yield _("The same without “{part}” has {bytes} and {value}.").format(
            part=describe(_only(best.recipe, recipe)),
            bytes=formatting.nbytes(other.bytes),
            value=_value(other, result.metric),
        )


def _slow_methods(recipe: Recipe) -> str:
    names = []
    for (key, field), (slow, fast) in BASELINES.items():
        if getattr(getattr(recipe, key), field, None) == slow:
            names.append(_("{slow} instead of {fast}").format(slow=_(slow), fast=_(fast)))
    return formatting.listed(names)


def _only(recipe: Recipe, other: Recipe) -> Recipe:
    """Return the parts of `recipe` that `other` lacks."""
    missing = set(recipe.as_dict()) - set(other.as_dict())
    return Recipe(**{key: getattr(recipe, key) for key in missing})


def alternatives(best: Trial, goal: Goal, result: StudyResult) -> Iterator[str]:
    """Yield what other limits would allow: the next smaller and the next better file."""
    worst = MAX_LOSS if goal.metric.is_fraction else MAX_LOSS * abs(best.value or 0.0)
    least = goal.metric.sort_key(best.value) - worst
    smaller = [
        trial
        for trial in result.front
        if trial.bytes <= (1 - SMALL) * best.bytes and goal.metric.sort_key(trial.value) >= least
    ]
    better = [
        t
        for t in result.front
        if t.bytes > best.bytes
        and goal.metric.better(t.value or 0, best.value or 0)
        and _value(t, goal.metric) != _value(best, goal.metric)  # else nothing seems better
    ]
    if smaller:
        other = smaller[-1]
        yield _("If {value} is enough, {bytes} are possible: {recipe}.").format(
            value=_value(other, goal.metric),
            bytes=formatting.nbytes(other.bytes),
            recipe=describe(other.recipe),
        )
    if better:
        other = better[0]
        yield _("If the file may have {bytes}, {value} is possible: {recipe}.").format(
            value=_value(other, goal.metric),
            bytes=formatting.nbytes(other.bytes),
            recipe=describe(other.recipe),
        )


def allowed(goal: Goal, result: StudyResult) -> Iterator[str]:
    """Yield what the limits allow one by one, if no recipe meets them."""
    exact = [trial for trial in result.trials if trial.exact]
    small = [t for t in exact if goal.max_bytes is None or t.bytes <= goal.max_bytes]
    if goal.max_bytes is not None and goal.min_accuracy is not None and small:
        best = max(small, key=lambda trial: goal.metric.sort_key(trial.value))
        yield _("Within {limit}, the best is {value}.").format(
            limit=formatting.nbytes(goal.max_bytes), value=_value(best, goal.metric)
        )
    good = [t for t in exact if (t.accuracy or 0.0) >= (goal.min_accuracy or 0.0)]
    if goal.min_accuracy is not None and good:
        smallest = min(good, key=lambda trial: trial.bytes)
        yield _("With an accuracy of at least {limit}, the smallest file has {bytes}.").format(
            limit=formatting.percent(goal.min_accuracy, 2), bytes=formatting.nbytes(smallest.bytes)
        )
    if (goal.original_accuracy or 0.0) < (goal.min_accuracy or 0.0):
        yield _(
            "Even uncompressed, {original} reaches less than {limit}: train it longer before you "
            "compress it."
        ).format(
            original=reference(result.study.model),
            limit=formatting.percent(goal.min_accuracy or 0.0, 2),
        )


def advice(best: Trial, goal: Goal, result: StudyResult, *, complete: bool) -> Iterator[str]:
    """Yield what to do next if the best recipe misses a limit: what can help to meet that one.

    More time helps only a search that is not `complete`.
    """
    if goal.meets(best):
        yield _(
            "Start from a network with fewer multiplications, or loosen the limit: fine-tuning "
            "makes no file faster."
        )
        return
    trained = any(trial.recipe.train is not None and trial.exact for trial in result.trials)
    sizes = [trial.bytes for trial in result.trials if trial.bytes]
    if goal.max_bytes is not None and sizes and min(sizes) > goal.max_bytes:
        text = _(
            "The smallest file of all recipes tried has {bytes}: give more seconds, allow larger "
            "files, or start from a smaller network."
        )
        if complete:
            text = _(
                "The smallest file of all recipes tried has {bytes}, and no other promised a "
                "smaller one: allow larger files, or start from a smaller network."
            )
        yield text.format(bytes=formatting.nbytes(min(sizes)))
    elif goal.max_bytes is not None and best.bytes > goal.max_bytes:
        text = _(
            "Smaller files are not accurate enough. With more seconds, one of them is fine-tuned; "
            "or loosen a limit."
        )
        if trained:
            text = _(
                "Smaller files are not accurate enough. With more seconds, one of them is "
                "fine-tuned for longer; or start from a smaller network."
            )
        yield text
    elif trained:
        yield _("More seconds allow a longer fine-tuning; or start from a smaller network.")
    else:
        yield _("Fine-tuning was not tried in this time: give more seconds, or loosen a limit.")


def on_new_data(best: Trial, goal: Goal, model: str) -> Iterator[str]:
    """Yield the interval of the accuracy on other examples than those it was chosen on."""
    bounds = goal.on_test(best)
    if bounds is None:
        return
    low, high = bounds
    yield _(
        "On the {count} test examples, expect {low} to {high} (95 %): measure it once on test "
        "before you rely on the limit."
    ).format(
        count=formatting.count(goal.test_examples),
        low=goal.metric.format(low),
        high=goal.metric.format(high),
    )
    if goal.lost_on_test >= NOTABLE:
        yield _(
            "Uncompressed, {original} itself loses {points} from validation to test, which is "
            "part of this interval: if the limit must hold on test, set it {points} higher."
        ).format(original=reference(model), points=formatting.points(goal.lost_on_test).lstrip("+"))


def not_timed(seconds: float, *, energy: bool) -> str:
    """Return that latency and `energy` are not known, and about how long measuring takes."""
    sentence = _(
        "The latency was not measured in this time: that takes {seconds} s or more; give more "
        "seconds."
    )
    if energy:
        sentence = _(
            "Latency and energy were not measured in this time: that takes {seconds} s or more; "
            "give more seconds."
        )
    return sentence.format(seconds=formatting.count(max(1, round(seconds))))


def energy_of_one(energy: Energy) -> str:
    """Return the energy of one example, and how it is known; why it is not, if it is not."""
    if energy.joules is None:
        return _("The energy was not measured: {reason}").format(
            reason=formatting.paragraph(energy.notes)
        )
    return _("One example takes {energy}.").format(energy=energy.text)


def failures(result: StudyResult) -> Iterator[str]:
    """Yield how many recipes could not be computed, and why the first of them."""
    failed = [trial for trial in result.trials if trial.state == FAILED]
    if failed:
        yield plural(
            "{count} recipe could not be computed ({recipe}): {sentence}",
            "{count} recipes could not be computed, the first of them {recipe}: {sentence}",
            len(failed),
        ).format(
            count=f"{len(failed):,}",
            recipe=describe(failed[0].recipe),
            sentence=failed[0].sentence,
        )


def _value(trial: Trial, metric: Metric) -> str:
    return metric.format(trial.value or 0.0)


def all_reasons(
    choices: Sequence[Trial],
    goal: Goal,
    result: StudyResult,
    violations: Sequence[str],
    seconds: float,
    *,
    ended: bool,
    complete: bool,
) -> tuple[str, ...]:
    """Return all sentences, the most important first; advice once the search has ended."""
    if not choices:
        return (_("No recipe was measured in this time: give more seconds."),)
    best = choices[0]
    missed = [*violations, *allowed(goal, result)] if violations else []
    if missed and ended:
        missed += advice(best, goal, result, complete=complete)
    return (
        headline(best, result),
        *missed,
        *on_new_data(best, goal, result.study.model),
        *contributions(best, result),
        *alternatives(best, goal, result),
        *effort(result, seconds),
        *failures(result),
    )
