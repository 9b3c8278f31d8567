"""Models, tasks, splits and metrics. Importing it does not import PyTorch."""

from workbench.domain.model import Model
from workbench.domain.task import UNSCALED, SourceRows, Split, TargetScale, Task

__all__ = ["UNSCALED", "Model", "SourceRows", "Split", "TargetScale", "Task"]
