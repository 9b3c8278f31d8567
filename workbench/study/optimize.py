"""Find the best recipe under limits in a given time."""

from __future__ import annotations

import time
from collections.abc import Iterable

from workbench.arguments import expect_running
from workbench.cancel import NEVER, CancelToken
from workbench.deploy.target import Target
from workbench.domain import Model
from workbench.recipe import Recipe
from workbench.study.candidates import space_of
from workbench.study.executors.executor import InThisProcess
from workbench.study.goal import Goal, check_positive
from workbench.study.known import known_trials
from workbench.study.latency import check_energy_counter
from workbench.study.limited_search import LimitedSearch, OnUpdate
from workbench.study.log import StudyLog, default_path
from workbench.study.recommendation import Recommendation
from workbench.study.runner import Runner
from workbench.study.space import Space
from workbench.study.study import Study
from workbench.training.budget import capped_seconds
from workbench.validation import expect_model


def optimize(
    model: Model,
    *,
    max_bytes: int | None = None,
    min_accuracy: float | None = None,
    max_latency_ms: float | None = None,
    max_energy_mj: float | None = None,
    target: Target | str | None = None,
    seconds: float = 60.0,
    space: Space | None = None,
    known: Iterable[Recipe] = (),
    on_update: OnUpdate = lambda recommendation: None,
    cancel: CancelToken = NEVER,
) -> Recommendation:
    """Return the best recipe under limits, measured on this model, with its file and the reasons.

    With a limit on the accuracy, the smallest file is the best; with one on the bytes only, the
    best metric; without both, the smallest file that loses at most 1 point, or 1 % of a metric
    that is no fraction. Recipes are measured on the validation split, exactly. The search covers
    quantization, pruning, channels, low rank, shared values, adjustments of batch norm, and with
    enough time fine-tuning and distillation into a narrower network.

    Parameters
    ----------
    model
        A built-in or a custom model.
    max_bytes
        The largest length of the file.
    min_accuracy
        The smallest accuracy, 0 to 1.
    max_latency_ms
        The longest time of one example, the median of repeated runs.
    max_energy_mj
        The most energy of one example in millijoules, of the processor and its memory. It needs an
        energy counter that this process can read.
    target
        Where latency and energy are measured: an inference runtime, or PyTorch in this process.
    seconds
        How long to search. The environment variable `WORKBENCH_BUDGET` limits it.
    space
        The recipes to search; by default all fields that can act on the model.
    known
        Recipes that may have been measured before. The search begins with the results of those in
        the cache, exact on all examples and at no cost, and ignores the others.
    on_update
        Called with the recommendation so far, after each few recipes.
    cancel
        Cancels the search.

    Raises
    ------
    InputError
        If a limit is not possible, the runtime is not installed, or there is no energy counter.
    RecipeError
        If the space names a layer that the model lacks.
    Cancelled
        If `cancel` is cancelled.

    Examples
    --------
    >>> import workbench as wb
    >>> result = wb.optimize(wb.model("fashion/mlp-32"), max_bytes=20_000, seconds=2)
    >>> result.met, result.best.bytes <= 20_000
    (True, True)
    """
    expect_running(cancel, on_update=on_update)
    begin = time.monotonic()
    goal = Goal.of(expect_model(model), max_bytes, min_accuracy, max_latency_ms, max_energy_mj)
    if max_energy_mj is not None:
        check_energy_counter()
    target = None if target is None else Target.of(target)
    check_positive("seconds", seconds)
    study = Study.of(
        model,
        space_of(model) if space is None else space,
        sampler="directed",
        max_bytes=goal.max_bytes,
        min_value=goal.floor,
    )
    study.space.check_names(model.layers, model.other_tensors)
    executor = InThisProcess()
    # A log with trials that were compared with recipes that are too slow here would lose some.
    path = None if goal.limits_cost else default_path(study.digest)
    with StudyLog(path, study.as_dict(), optional=True) as log:
        executor.open(model)
        runner = Runner(model, study, executor, log, cancel=cancel)
        runner.add_known(known_trials(model, known, study.space))
        search = LimitedSearch(
            model, goal, study, runner, target, begin, capped_seconds(seconds), on_update, cancel
        )
        return search.run()
