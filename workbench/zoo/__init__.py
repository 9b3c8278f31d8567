"""The zoo: built-in tasks, their data and trained models. Importing it loads no PyTorch."""

from workbench.zoo.builtin import Model
from workbench.zoo.data import Split, Task
from workbench.zoo.registry import model, models, task, tasks

__all__ = ["Model", "Split", "Task", "model", "models", "task", "tasks"]
