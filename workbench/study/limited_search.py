"""The course of a search under limits: recipes, fine-tuning, latencies and reasons."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from math import inf
from statistics import median

import torch

from workbench.cancel import CancelToken
from workbench.deploy.target import Target
from workbench.domain import Model
from workbench.errors import Cancelled, WorkbenchError
from workbench.recipe import Quantize, Recipe, Train
from workbench.study import reasons
from workbench.study.candidates import is_within
from workbench.study.choices import choices_of, ranked
from workbench.study.goal import Goal
from workbench.study.guessing import guessing_sentence
from workbench.study.importance import importance_sentence
from workbench.study.other_networks import other_network
from workbench.study.recommendation import Recommendation
from workbench.study.runner import Runner, TimeIsUp
from workbench.study.samplers.directed import directed, elsewhere
from workbench.study.samplers.space_filling import sobol_positions
from workbench.study.speed import Speed
from workbench.study.study import Study
from workbench.study.trial import Trial
from workbench.training.budget import steps_for
from workbench.training.compress import artifact_bytes

ROUND = 4
"""Recipes that are measured before the next ones are chosen."""
PATIENCE = 100
"""After so many recipes from anywhere in the space without a better one, the search ends."""
SEARCH_SHARE = 0.9
"""The share of the time after which no more recipes are measured."""
TIMED_SHARE = 0.75
"""The same if latencies are measured, at most: less if measuring them takes longer."""
TIMING_RESERVE = 1.25
"""How much longer than the first a later measurement of a latency may take."""
TUNED_SHARE = 0.6
"""The same if fine-tuning follows."""
MIN_TUNING_SECONDS = 25.0
"""Fine-tuning is tried only with at least this much time in total."""
STEPS_SHARE = 0.2
"""The share of the time that the steps of a fine-tuning take."""
SLOW = 15
"""A slow method takes up to this many evaluations, until it has been timed."""
MIN_IMPORTANCE_SECONDS = 3.0
"""The importances of fields are computed if at least this much time remains."""
NEAR_MISS = 0.04
"""How far below the floor a recipe may be that fine-tuning could recover, as a fraction."""

OnUpdate = Callable[[Recommendation], None]


@dataclass
class LimitedSearch:
    """Searches toward a goal until the time is up; `run` returns the recommendation."""

    model: Model
    goal: Goal
    study: Study
    runner: Runner
    target: Target | None
    begin: float
    seconds: float
    on_update: OnUpdate
    cancel: CancelToken
    important: str | None = None
    """Which fields decide, as a sentence."""
    complete: bool = False
    """Whether no recipe is left that promises a smaller file; slow methods do not."""
    speed: Speed = field(init=False)

    def __post_init__(self) -> None:
        end = self.begin + self.seconds
        self.speed = Speed(self.model, self.goal, self.target, self.cancel, end)
        self.runner.counts = lambda trial: self.speed.may_be_fast(trial.recipe)

    @property
    def elapsed(self) -> float:
        """The seconds since the search began."""
        return time.monotonic() - self.begin

    @property
    def remaining(self) -> float:
        """The seconds that are left."""
        return self.seconds - self.elapsed

    @property
    def _search_share(self) -> float:
        """The share of the time after which no more recipes are measured."""
        share = min(TIMED_SHARE, 1 - TIMING_RESERVE * self.speed.seconds / self.seconds)
        enough = share * self.seconds > self.elapsed
        return share if self.speed.counts and enough else SEARCH_SHARE

    def run(self) -> Recommendation:
        """Search until the time is up, and return the recommendation.

        A few first recipes are measured in any case.
        """
        tunes = self.seconds >= MIN_TUNING_SECONDS
        with suppress(TimeIsUp):
            self._time_first(self._measure_first())
            self._search_until(TUNED_SHARE if tunes else self._search_share)
        if tunes:
            with suppress(TimeIsUp):
                self._train()
            with suppress(TimeIsUp):
                self._search_until(self._search_share)
        reserve = TIMING_RESERVE * self.speed.seconds / self.seconds if self.speed.counts else 0.0
        self._set_deadline(1 - reserve)
        with suppress(TimeIsUp):
            self.runner.check_front()
        self._measure_nearest()
        with suppress(TimeIsUp):
            self.speed.time_until_fast(self.goal.ranking(self.runner.final))
            self._explain()
        return self.recommendation(ended=True)

    def _measure_first(self) -> float:
        """Measure one recipe however long it takes, and a few more until one meets the limits.

        Returns
        -------
        float
            How many seconds pass in one of the processor, 1 at least: more on a busy machine.
        """
        begin, processor = time.monotonic(), time.process_time()
        for _ in range(ROUND):
            ranking = self._ranking()
            if ranking and (self.goal.meets(ranking[0]) or self.remaining < 0):
                break
            self.runner.measure(self._next(set())[:1])
        return max(1.0, (time.monotonic() - begin) / (time.process_time() - processor + 1e-3))

    def _time_first(self, slowness: float) -> None:
        """Measure a latency, so that the time for others can be planned.

        With a limit, it is that of the original: if that is too slow, the search begins again with
        networks that have fewer channels.
        """
        ranking = self._ranking()
        if not self.speed.counts or not ranking:
            return
        self.speed.begin(slowness)
        self.on_update(self.recommendation())
        if self.goal.limits_cost:
            self.speed.find_removed()
        else:
            self.speed.time(ranking[0])

    def _measure_nearest(self) -> None:
        """Measure the smallest file if none is small enough, and the original if it is smaller."""
        self.runner.deadline = None
        if not self._ranking():
            files = [trial for trial in self.runner.final if trial.bytes]
            smallest = min(files, key=lambda trial: trial.bytes, default=None)
            self.runner.measure([smallest.recipe if smallest else Recipe()], exactly=True)
        ranking = self._ranking()
        if ranking and ranking[0].bytes > self.model.original_bytes:
            self.runner.measure([Recipe()], exactly=True)
        self._set_deadline(1.0)

    def recommendation(self, *, ended: bool = False) -> Recommendation:
        """Return the recommendation from the trials so far."""
        result = self.runner.result
        choices = choices_of(self.model, self.goal, self._ranking(), self.speed.costs)
        draft = Recommendation(
            self.model, self.goal, result, choices, dict(self.speed.costs), (), self.elapsed
        )
        violations = draft.violations if choices else ()
        fast = replace(result, trials=tuple(filter(self.runner.counts, result.trials)))
        sentences = reasons.all_reasons(
            choices,
            self.goal,
            fast,
            violations,
            self.elapsed,
            ended=ended,
            complete=self.complete,
        )
        timed = bool(choices) and self.speed.counts
        untimed = None
        if timed and draft.latency_ms is None:
            energy = self.goal.max_energy_mj is not None
            untimed = reasons.not_timed(self.speed.seconds, energy=energy)
        elif timed and draft.energy is not None:
            untimed = reasons.energy_of_one(draft.energy)
        other = other_network(self.model, self.goal, next(iter(choices), None))
        better = None if other is None else other.sentence(self.goal)
        guessing = guessing_sentence(self.model, choices[0]) if choices else None
        first = sentences[:1] if guessing is None else (*sentences[:1], guessing)
        extra = [text for text in (untimed, better, self.important) if text is not None]
        return replace(draft, reasons=(*first, *sentences[1:], *extra), other=other)

    def _set_deadline(self, share: float) -> None:
        self.runner.deadline = self.begin + share * self.seconds

    def _search_until(self, share: float) -> None:
        self._set_deadline(share)
        self.complete = False
        postponed: set[Recipe] = set()
        positions = sobol_positions(self.study.space, self.study.seed)
        in_vain, best = 0, None
        while in_vain < PATIENCE:
            ranking = self._ranking()
            if ranking:
                self.on_update(self.recommendation())
            if ranking and ranking[0] != best:
                in_vain, best = 0, ranking[0]
            recipes = self._next(postponed)
            if not recipes:
                anywhere = elsewhere(self.model, self.study, self.runner.final, positions)
                recipes = list(islice(filter(self._is_possible, anywhere), ROUND))
                in_vain += len(recipes)
            if not recipes:
                break
            self.runner.measure(recipes, min_value=self._min_value(ranking))
        self.complete = True

    def _is_possible(self, recipe: Recipe) -> bool:
        """Whether a recipe may be fast enough, and takes little enough of the time that is left."""
        return self.speed.may_be_fast(recipe) and not self._takes_long(recipe)

    def _takes_long(self, recipe: Recipe) -> bool:
        return self._takes(recipe) > max(0.0, self.remaining / 3)

    def _next(self, postponed: set[Recipe]) -> list[Recipe]:
        """Return the next recipes; those that would take too long are postponed."""
        count = ROUND
        while True:
            trials = list(filter(self.runner.counts, self.runner.final))
            proposed = directed(self.model, self.study, trials, count, self.speed.narrowed)
            chosen = [r for r in proposed if r not in postponed and self.speed.may_be_fast(r)]
            late = [recipe for recipe in chosen if self._takes_long(recipe)]
            postponed.update(late)
            chosen = [recipe for recipe in chosen if recipe not in late][:ROUND]
            if len(chosen) == ROUND or len(proposed) < count:
                return chosen
            count *= 2

    def _takes(self, recipe: Recipe) -> float:
        """Return the seconds that a slow method may take; 0 for a fast one."""
        if recipe.baseline == recipe or recipe.train is not None:
            return 0.0
        slow = [
            t.compress_seconds
            for t in self.runner.final
            if t.recipe.baseline != t.recipe and t.compress_seconds
        ]
        if slow:
            return max(slow)
        measured = filter(self._is_measured, self.runner.final)
        evaluations = [trial.seconds - trial.compress_seconds for trial in measured]
        return SLOW * median(evaluations) if evaluations else inf

    def _is_measured(self, trial: Trial) -> bool:
        return trial.exact and trial.key not in self.runner.known

    def _min_value(self, ranking: Sequence[Trial]) -> float | None:
        """Return the value below which a recipe is of no use, once one meets the limits."""
        return self.goal.floor if ranking and self.goal.meets(ranking[0]) else None

    def _ranking(self) -> list[Trial]:
        """Return the exact trials, the best first; with a limit, those that are fast enough."""
        return ranked(self.goal, self.runner.final, self.speed.costs)

    def _train(self) -> None:
        """Fine-tune the most promising recipe, and distill into a narrower network."""
        self._set_deadline(self._search_share)
        near = self._near_miss()
        recipes = [] if near is None else [_fine_tuned(near.recipe)]
        if (
            self.model.card.get("most_left_out") is not None
            and self.seconds >= 2 * MIN_TUNING_SECONDS
        ):
            train = Train(
                start="scratch", width=0.5, teacher="self", threads=torch.get_num_threads()
            )
            recipes.append(replace(Recipe(), quantize=Quantize(8), train=train))
        space = self.study.space
        for recipe in recipes:
            if not (self.speed.may_be_fast(recipe) and is_within(space, recipe)):
                continue
            steps = self._steps(recipe)
            if steps:
                assert recipe.train is not None
                train = replace(recipe.train, steps=steps)
                self.runner.measure([replace(recipe, train=train)])

    def _steps(self, recipe: Recipe) -> int:
        """Return how many steps the time allows; 0 if the model cannot be trained."""
        try:
            return steps_for(
                self.model,
                recipe,
                STEPS_SHARE * self.seconds,
                self.cancel,
                artifact_bytes,
                watched=False,
            )
        except Cancelled:
            raise
        except WorkbenchError:  # it has no training data, or a part cannot be trained
            return 0

    def _near_miss(self) -> Trial | None:
        """Return the trial that fine-tuning could make the best: small, and not much worse."""
        metric, floor = self.goal.metric, self.goal.floor
        counted = filter(self.runner.counts, self.runner.final)
        trials = [t for t in counted if t.bytes and t.first is not None and _trainable(t)]
        if floor is None:
            return next((t for t in self.goal.ranking(trials) if _trainable(t)), None)
        loss = NEAR_MISS if metric.is_fraction else NEAR_MISS * abs(floor)
        near = [
            trial
            for trial in trials
            if metric.sort_key(trial.first) >= metric.sort_key(floor) - loss
        ]
        return min(near, key=lambda trial: trial.bytes, default=None)

    def _explain(self) -> None:
        """Measure the best recipe without each of its parts, for the reasons."""
        ranking = self._ranking()
        if ranking:
            best, result = ranking[0], self.runner.result
            others = [
                recipe
                for recipe in (
                    *reasons.just_below(best, self.goal, result),
                    *reasons.without_each_part(best.recipe),
                )
                if self._takes(recipe) < self.remaining / 2 and recipe.train is None
            ]
            self.runner.measure(others, exactly=True)
        if self.remaining > MIN_IMPORTANCE_SECONDS:
            self.important = importance_sentence(self.runner.result)


def _trainable(trial: Trial) -> bool:
    recipe = trial.recipe
    compensated = recipe.quantize is not None and recipe.quantize.rounding == "compensated"
    return recipe.factorize is None and recipe.train is None and not compensated


def _fine_tuned(recipe: Recipe) -> Recipe:
    return replace(recipe, train=Train(threads=torch.get_num_threads()))
