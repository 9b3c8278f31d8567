"""Experiments: several trainings compared, such as races, folds, searches and sweeps."""

from workbench.experiments.cross_validation import cross_validate
from workbench.experiments.learning_rate_range import find_learning_rate
from workbench.experiments.race import race
from workbench.experiments.scaled_steps import scaled_steps
from workbench.experiments.search import LogUniform, search
from workbench.experiments.temperatures import sweep

__all__ = [
    "LogUniform",
    "cross_validate",
    "find_learning_rate",
    "race",
    "scaled_steps",
    "search",
    "sweep",
]
