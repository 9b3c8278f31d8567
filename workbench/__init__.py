"""Workbench: make a neural network smaller, and see live what it costs. The numbers are true.

>>> import workbench as wb
>>> model = wb.model("fashion/lenet5")
>>> recipe = wb.Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 4}}')
>>> artifact = wb.compress(model, recipe)
>>> len(artifact) == artifact.ledger.total
True
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.analysis.attribution import Attribution, attribution
    from workbench.analysis.comparison import Comparison, compare
    from workbench.analysis.generation import Generation, generate
    from workbench.analysis.histogram import Histogram, histogram
    from workbench.analysis.sensitivity import sensitivity
    from workbench.artifact.artifact import Artifact, load
    from workbench.artifact.ledger import Ledger
    from workbench.custom.from_module import from_module
    from workbench.custom.loaders.checkpoint import from_checkpoint
    from workbench.custom.loaders.keras import from_keras
    from workbench.custom.loaders.libraries import from_timm, from_transformers
    from workbench.custom.plugin import LazySplit, ModelPlugin
    from workbench.custom.to_module import to_module
    from workbench.domain import Model, Task
    from workbench.errors import WorkbenchError
    from workbench.evaluation.measure import evaluate, measure
    from workbench.evaluation.report import Report
    from workbench.panels import dashboard
    from workbench.pipeline import compress, train
    from workbench.recipe import (
        Activations,
        Adjust,
        Factorize,
        Prune,
        Quantize,
        Recipe,
        Share,
        Structure,
        Train,
    )
    from workbench.session import Session
    from workbench.streaming.compress import compress_file
    from workbench.streaming.decompress import decompress
    from workbench.zoo import model, models, task, tasks

__all__ = [
    "Activations",
    "Adjust",
    "Artifact",
    "Attribution",
    "Comparison",
    "Factorize",
    "Generation",
    "Histogram",
    "LazySplit",
    "Ledger",
    "Model",
    "ModelPlugin",
    "Prune",
    "Quantize",
    "Recipe",
    "Report",
    "Session",
    "Share",
    "Structure",
    "Task",
    "Train",
    "WorkbenchError",
    "attribution",
    "compare",
    "compress",
    "compress_file",
    "dashboard",
    "decompress",
    "evaluate",
    "from_checkpoint",
    "from_keras",
    "from_module",
    "from_timm",
    "from_transformers",
    "generate",
    "histogram",
    "load",
    "measure",
    "model",
    "models",
    "sensitivity",
    "task",
    "tasks",
    "to_module",
    "train",
]

# Public names and where they live: loaded when first used, so that importing costs nothing.
_HOMES = {
    "Activations": "recipe",
    "Adjust": "recipe",
    "Artifact": "artifact.artifact",
    "Attribution": "analysis.attribution",
    "Comparison": "analysis.comparison",
    "Factorize": "recipe",
    "Histogram": "analysis.histogram",
    "LazySplit": "custom.plugin",
    "Ledger": "artifact.ledger",
    "Model": "domain",
    "ModelPlugin": "custom.plugin",
    "Prune": "recipe",
    "Quantize": "recipe",
    "Recipe": "recipe",
    "Report": "evaluation.report",
    "Session": "session",
    "Share": "recipe",
    "Structure": "recipe",
    "Task": "domain",
    "Train": "recipe",
    "WorkbenchError": "errors",
    "Generation": "analysis.generation",
    "attribution": "analysis.attribution",
    "from_module": "custom.from_module",
    "compare": "analysis.comparison",
    "compress": "pipeline",
    "compress_file": "streaming.compress",
    "dashboard": "panels",
    "evaluate": "evaluation.measure",
    "decompress": "streaming.decompress",
    "from_checkpoint": "custom.loaders.checkpoint",
    "from_keras": "custom.loaders.keras",
    "from_timm": "custom.loaders.libraries",
    "from_transformers": "custom.loaders.libraries",
    "histogram": "analysis.histogram",
    "load": "artifact.artifact",
    "measure": "evaluation.measure",
    "model": "zoo",
    "models": "zoo",
    "to_module": "custom.to_module",
    "sensitivity": "analysis.sensitivity",
    "task": "zoo",
    "tasks": "zoo",
    "train": "pipeline",
    "generate": "analysis.generation",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("workbench")
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    value = getattr(import_module(f"workbench.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
