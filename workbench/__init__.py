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
    from workbench.artifact.artifact import Artifact, load
    from workbench.artifact.ledger import Ledger
    from workbench.errors import WorkbenchError
    from workbench.evaluation.attribution import Attribution, attribution
    from workbench.evaluation.changes import Changes, changes
    from workbench.evaluation.histogram import Histogram, histogram
    from workbench.evaluation.measure import evaluate, measure
    from workbench.evaluation.report import Report
    from workbench.evaluation.writing import Written, write
    from workbench.own.bring import bring
    from workbench.own.checkpoint import from_checkpoint
    from workbench.own.keras_model import from_keras
    from workbench.own.libraries import from_timm, from_transformers
    from workbench.own.offer import Later, Offer
    from workbench.own.rebuild import rebuild
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
    from workbench.streaming.expand import expand
    from workbench.trials.scanning import sensitivity
    from workbench.zoo import Model, Task, model, models, task, tasks

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
    "Attribution": "evaluation.attribution",
    "Changes": "evaluation.changes",
    "Factorize": "recipe",
    "Histogram": "evaluation.histogram",
    "Later": "own.offer",
    "Ledger": "artifact.ledger",
    "Model": "zoo",
    "Offer": "own.offer",
    "Prune": "recipe",
    "Quantize": "recipe",
    "Recipe": "recipe",
    "Report": "evaluation.report",
    "Session": "session",
    "Share": "recipe",
    "Structure": "recipe",
    "Task": "zoo",
    "Train": "recipe",
    "WorkbenchError": "errors",
    "Written": "evaluation.writing",
    "attribution": "evaluation.attribution",
    "bring": "own.bring",
    "changes": "evaluation.changes",
    "compress": "pipeline",
    "compress_file": "streaming.compress",
    "dashboard": "panels",
    "evaluate": "evaluation.measure",
    "expand": "streaming.expand",
    "from_checkpoint": "own.checkpoint",
    "from_keras": "own.keras_model",
    "from_timm": "own.libraries",
    "from_transformers": "own.libraries",
    "histogram": "evaluation.histogram",
    "load": "artifact.artifact",
    "measure": "evaluation.measure",
    "model": "zoo",
    "models": "zoo",
    "rebuild": "own.rebuild",
    "sensitivity": "trials.scanning",
    "task": "zoo",
    "tasks": "zoo",
    "train": "pipeline",
    "write": "evaluation.writing",
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
