"""Search toward limits: from the best recipes so far, small steps first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from math import inf, log2
from typing import TYPE_CHECKING

from workbench.domain import Model
from workbench.errors import RecipeError
from workbench.recipe import Recipe
from workbench.study.candidates import first_recipes, is_within
from workbench.study.expected_bytes import expected_bytes
from workbench.study.goal import Goal
from workbench.study.samplers.space_filling import sobol_positions
from workbench.study.trial import Trial

if TYPE_CHECKING:
    from workbench.study.space import Position, Space
    from workbench.study.study import Study

ELITE = 5
"""How many of the best recipes are changed."""
STEPS = (1, 2, 5, 10)
"""How far a number may move on its axis."""
FEW = 3
"""An axis of at most this many values is a choice, and any other value is one step."""
NEAR = 1.03
"""Files that may be this much larger than the best are proposed, since bytes are only expected."""
FIRST = 16
"""Positions of a space that are the first recipes if no other is in it."""
MAX_POSITIONS = 256
"""Positions elsewhere that are looked at, of which most are too large or known."""

SHARED, BITS = "share.clusters", "quantize.bits"
MARGIN = 1.3
"""How much larger the first recipes may be, whose sizes no similar file has corrected."""


Change = Callable[[Recipe], Recipe]


def as_it_is(recipe: Recipe) -> Recipe:
    """Return the recipe."""
    return recipe


def directed(
    model: Model, study: Study, trials: Sequence[Trial], count: int, changed: Change = as_it_is
) -> list[Recipe]:
    """Return the first recipes, then changes of those that are nearest to the limits.

    While no recipe meets the limits, it approaches them. Afterwards it proposes files that are
    expected to be smaller, or to be as large and better.

    Parameters
    ----------
    changed
        What the first recipes need in addition, such as fewer channels.
    """
    known = {trial.recipe for trial in trials}
    goal = Goal(model.task.metric, study.max_bytes, floor=study.min_value)
    elite = goal.ranking(trials)[:ELITE]
    is_met = bool(elite) and goal.meets(elite[0])
    shrinks = is_met and goal.aims_at_bytes
    if shrinks:
        limit: float | None = elite[0].bytes * NEAR
    else:
        limit = None if study.max_bytes is None else study.max_bytes * NEAR
    first = [recipe for recipe in first_recipes(model) if is_within(study.space, recipe)]
    first = list(dict.fromkeys(map(changed, first or _spread(model, study))))
    new = _first(model, first, limit, known, largest_first=study.max_bytes is not None)
    if new:
        return new[:count]
    elite = elite or sorted((t for t in trials if t.bytes), key=lambda t: t.bytes)[:ELITE]
    rows: list[list[Recipe]] = []
    for trial in elite:
        steps, choices = _changes(model, study.space, trial, limit, known, toward_small=shrinks)
        rows.append(_interleaved(steps, choices))
    return list(dict.fromkeys(_by_turns(rows)))[:count]


def elsewhere(
    model: Model, study: Study, trials: Sequence[Trial], positions: Iterator[Position]
) -> Iterator[Recipe]:
    """Yield recipes from anywhere in the space, for when no small change is left.

    They are those at the next of `positions` whose files are expected to be small enough.
    """
    known = {trial.recipe for trial in trials}
    goal = Goal(model.task.metric, study.max_bytes, floor=study.min_value)
    best = next(iter(goal.ranking(trials)), None)
    limit = inf if study.max_bytes is None else study.max_bytes
    if best is not None and goal.meets(best) and goal.aims_at_bytes:
        limit = best.bytes
    for position in islice(positions, MAX_POSITIONS):
        recipe = study.space.recipe(position)
        if recipe is None or recipe in known or not _suits(model, recipe):
            continue
        if expected_bytes(model, recipe) <= limit:
            yield recipe


def _spread(model: Model, study: Study) -> list[Recipe]:
    """Return recipes of a space that none of the first ones is in."""
    positions = islice(sobol_positions(study.space, study.seed), FIRST)
    recipes = (study.space.recipe(position) for position in positions)
    return [recipe for recipe in recipes if recipe is not None and _suits(model, recipe)]


def _suits(model: Model, recipe: Recipe) -> bool:
    """Whether the parts of a recipe can be combined on a model."""
    try:
        recipe.check_names(model.layers, model.other_tensors)
    except RecipeError:
        return False
    return True


def _first(
    model: Model,
    recipes: list[Recipe],
    limit: float | None,
    known: set[Recipe],
    *,
    largest_first: bool,
) -> list[Recipe]:
    """Return the first recipes that are not known and may have at most `limit` bytes."""
    sizes = {recipe: expected_bytes(model, recipe) for recipe in recipes}
    if largest_first:  # the largest file within the limit loses the least
        recipes = sorted(recipes, key=lambda recipe: -sizes[recipe])
    if limit is not None:
        small = [recipe for recipe in recipes if sizes[recipe] < MARGIN * limit]
        smallest = sorted(recipes, key=lambda recipe: sizes[recipe])[:1]
        recipes = small if small or known else smallest
    return [recipe for recipe in recipes if recipe not in known]


def _changes(
    model: Model,
    space: Space,
    trial: Trial,
    limit: float | None,
    known: set[Recipe],
    *,
    toward_small: bool,
) -> tuple[list[Recipe], list[Recipe]]:
    """Return the new recipes one change away: steps of numbers, and other choices.

    Only those are returned whose files are expected to be at most `limit` bytes. The largest come
    first: they lose the least.
    """
    per_guess = trial.bytes / expected_bytes(model, trial.recipe)
    too_large = limit is not None and trial.bytes > limit / NEAR
    steps: list[tuple[float, Recipe]] = []
    choices: list[tuple[float, Recipe]] = []
    at = space.position(trial.recipe)
    others = ((position, True) for position in _exchanged(space, at))
    for position, is_choice in chain(others, _neighbors(space, at)):
        recipe = space.recipe(position)
        if recipe is None or recipe in known or not _suits(model, recipe):
            continue
        size = per_guess * expected_bytes(model, recipe)
        if too_large and size < trial.bytes:
            steps.append((size, recipe))  # the smallest first
        elif limit is None or size <= limit:
            (choices if is_choice else steps).append((-size, recipe))
    smaller = [entry for entry in steps if abs(entry[0]) < trial.bytes]
    ordered = sorted(smaller if toward_small and smaller else steps, key=lambda entry: entry[0])
    return [recipe for _, recipe in ordered], [recipe for _, recipe in choices]


def _neighbors(space: Space, position: Position) -> Iterator[tuple[Position, bool]]:
    """Yield positions that differ on one axis, and whether that axis is a choice."""
    for axis, values in enumerate(space.axes.values()):
        is_choice = len(values) <= FEW
        distances = range(1, len(values)) if is_choice else STEPS
        for distance in distances:
            for index in (position[axis] + distance, position[axis] - distance):
                if 0 <= index < len(values):
                    yield (*position[:axis], index, *position[axis + 1 :]), is_choice


def _exchanged(space: Space, position: Position) -> Iterator[Position]:
    """Yield positions with quantized values for shared ones, or the reverse, at similar bits."""
    names = list(space.axes)
    if SHARED not in names or BITS not in names or 0 not in space.axes[SHARED]:
        return
    shared, bits = names.index(SHARED), names.index(BITS)
    clusters, widths = space.axes[SHARED], space.axes[BITS]
    count, width = int(clusters[position[shared]]), int(widths[position[bits]])
    for index, other in enumerate(widths if count else clusters):
        near = log2(count) - 1 if count else width - 1
        size = int(other) if count else log2(int(other) or 1)
        if not near <= size <= near + 2:
            continue
        changed = list(position)
        changed[shared] = clusters.index(0) if count else index
        changed[bits] = index if count else widths.index(max(widths))
        yield tuple(changed)


def _interleaved(steps: Sequence[Recipe], choices: Sequence[Recipe]) -> list[Recipe]:
    """Return two steps, a choice, and so on."""
    pairs = [list(steps[i : i + 2]) for i in range(0, len(steps), 2)]
    mixed: list[Recipe] = []
    for number in range(max(len(pairs), len(choices))):
        mixed += pairs[number] if number < len(pairs) else []
        mixed += choices[number : number + 1]
    return mixed


def _by_turns(rows: Sequence[Sequence[Recipe]]) -> Iterator[Recipe]:
    """Yield two of the first row for each of the others."""
    queues = [list(row) for row in rows]
    while any(queues):
        for number, queue in enumerate(queues):
            for _ in range(2 if number == 0 else 1):
                if queue:
                    yield queue.pop(0)
