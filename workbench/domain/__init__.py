"""Models, tasks, splits and metrics. Importing it does not import PyTorch."""

from workbench.domain.model import Model
from workbench.domain.task import Split, Task

__all__ = ["Model", "Split", "Task"]
