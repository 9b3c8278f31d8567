"""Built-in tasks, data and models, and the registry. Importing it loads no PyTorch."""

from workbench.zoo.registry import model, models, task, tasks

__all__ = ["model", "models", "task", "tasks"]
