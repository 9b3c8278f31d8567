"""Search over recipes: studies, the recommendation under limits, holding a file size."""

from workbench.study.fixed_size import hold_size
from workbench.study.importance import importances
from workbench.study.mixed_precision import mixed_precision
from workbench.study.run import run_study
from workbench.study.space import Space
from workbench.study.study import Study

__all__ = ["Space", "Study", "hold_size", "importances", "mixed_precision", "run_study"]
