"""Trials: several trainings or recipes compared: races, searches, sweeps, sensitivity."""

from workbench.trials.balancing import balance
from workbench.trials.folds import cross_validate
from workbench.trials.racing import race
from workbench.trials.range_finder import find_learning_rate
from workbench.trials.scanning import sensitivity
from workbench.trials.searching import LogUniform, search
from workbench.trials.temperatures import sweep
from workbench.trials.usual import usually

__all__ = [
    "LogUniform",
    "balance",
    "cross_validate",
    "find_learning_rate",
    "race",
    "search",
    "sensitivity",
    "sweep",
    "usually",
]
