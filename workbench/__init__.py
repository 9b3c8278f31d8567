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
    from workbench.analysis.comparison import Changes, changes
    from workbench.analysis.generation import Written, write
    from workbench.analysis.histogram import Histogram, histogram
    from workbench.analysis.sensitivity import sensitivity
    from workbench.artifact.artifact import Artifact, load
    from workbench.artifact.ledger import Ledger
    from workbench.custom.from_module import bring
    from workbench.custom.loaders.checkpoint import from_checkpoint
    from workbench.custom.loaders.keras import from_keras
    from workbench.custom.loaders.libraries import from_timm, from_transformers
    from workbench.custom.plugin import Later, Offer
    from workbench.custom.to_module import rebuild
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
    from workbench.streaming.decompress import expand
    from workbench.zoo import model, models, task, tasks

__all__ = [
    "Activations",
    "Adjust",
    "Artifact",
    "Attribution",
    "Changes",
    "Factorize",
    "Histogram",
    "Later",
    "Ledger",
    "Model",
    "Offer",
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
    "Written",
    "attribution",
    "bring",
    "changes",
    "compress",
    "compress_file",
    "dashboard",
    "evaluate",
    "expand",
    "from_checkpoint",
    "from_keras",
    "from_timm",
    "from_transformers",
    "histogram",
    "load",
    "measure",
    "model",
    "models",
    "rebuild",
    "sensitivity",
    "task",
    "tasks",
    "train",
    "write",
]

# Public names and where they live: loaded when first used, so that importing costs nothing.
_HOMES = {
    "Activations": "recipe",
    "Adjust": "recipe",
    "Artifact": "artifact.artifact",
    "Attribution": "analysis.attribution",
    "Changes": "analysis.comparison",
    "Factorize": "recipe",
    "Histogram": "analysis.histogram",
    "Later": "custom.plugin",
    "Ledger": "artifact.ledger",
    "Model": "domain",
    "Offer": "custom.plugin",
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
    "Written": "analysis.generation",
    "attribution": "analysis.attribution",
    "bring": "custom.from_module",
    "changes": "analysis.comparison",
    "compress": "pipeline",
    "compress_file": "streaming.compress",
    "dashboard": "panels",
    "evaluate": "evaluation.measure",
    "expand": "streaming.decompress",
    "from_checkpoint": "custom.loaders.checkpoint",
    "from_keras": "custom.loaders.keras",
    "from_timm": "custom.loaders.libraries",
    "from_transformers": "custom.loaders.libraries",
    "histogram": "analysis.histogram",
    "load": "artifact.artifact",
    "measure": "evaluation.measure",
    "model": "zoo",
    "models": "zoo",
    "rebuild": "custom.to_module",
    "sensitivity": "analysis.sensitivity",
    "task": "zoo",
    "tasks": "zoo",
    "train": "pipeline",
    "write": "analysis.generation",
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
