"""Optuna's multi-objective TPE, asked for recipes only (extra `study`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.domain import Model
from workbench.errors import InputError
from workbench.installation import install_command
from workbench.recipe import Recipe
from workbench.study.trial import Trial

if TYPE_CHECKING:
    from workbench.study.study import Study

MAX_TRIES = 200


def tpe(model: Model, study: Study, trials: Sequence[Trial], count: int) -> list[Recipe]:
    """Return recipes by the tree-structured Parzen estimator (Bergstra et al. 2011).

    Optuna keeps nothing: an in-memory study is filled with the trials of the log and asked.

    Raises
    ------
    InputError
        If Optuna is not installed.
    """
    optuna = _optuna()
    space, metric, objectives = study.space, model.task.metric, study.objectives
    distributions = {
        key: optuna.distributions.CategoricalDistribution(list(range(len(values))))
        for key, values in space.axes.items()
    }
    adviser = optuna.create_study(
        directions=[*("minimize" for _name in objectives), "maximize"],
        sampler=optuna.samplers.TPESampler(seed=study.seed + len(trials)),
    )
    for trial in trials:
        value = trial.value if trial.exact else trial.first
        costs = trial.amounts(objectives)
        if not costs or value is None:
            continue
        params = dict(zip(space.axes, space.position(trial.recipe), strict=True))
        adviser.add_trial(
            optuna.trial.create_trial(
                params=params,
                distributions=distributions,
                values=[*costs, metric.sort_key(value)],
            )
        )
    known = {trial.recipe for trial in trials}
    chosen: dict[Recipe, None] = {}
    for _ in range(MAX_TRIES):
        params = adviser.ask(distributions).params
        recipe = space.recipe(tuple(params[key] for key in space.axes))
        if recipe is not None and recipe not in known:
            chosen[recipe] = None
        if len(chosen) == count:
            break
    return list(chosen)


def _optuna() -> Any:
    try:
        optuna = import_module("optuna")
    except ImportError:
        raise InputError(
            "The sampler tpe needs Optuna: choose evolution, or install it with: "
            f"{install_command('study')}",
            code="study.no_optuna",
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
