"""Trials: several trainings compared: races, range tests, cross-validation, searches, sweeps."""

from workbench.trials.folds import cross_validate
from workbench.trials.racing import race
from workbench.trials.range_finder import find_learning_rate
from workbench.trials.searching import LogUniform, search
from workbench.trials.temperatures import sweep
from workbench.trials.usual import usually

__all__ = [
    "LogUniform",
    "cross_validate",
    "find_learning_rate",
    "race",
    "search",
    "sweep",
    "usually",
]
