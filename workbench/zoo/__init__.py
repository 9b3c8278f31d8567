"""Built-in tasks, data and models, and the registry. Importing it does not import PyTorch."""

from workbench.zoo.registry import model, models, task, tasks

__all__ = ["model", "models", "task", "tasks"]
