"""Workbench: compress neural networks and see at once what that costs, in exact numbers.

Examples
--------
>>> import workbench as wb
>>> model = wb.model("fashion/lenet5")
>>> recipe = wb.Recipe.from_json('{"prune": {"sparsity": 0.9}, "quantize": {"bits": 4}}')
>>> artifact = wb.compress(model, recipe)
>>> len(artifact) == artifact.ledger.total
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.analysis.attribution import Attribution, attribution
    from workbench.analysis.comparison import Comparison, compare
    from workbench.analysis.generation import Generation, generate
    from workbench.analysis.histogram import Histogram, histogram
    from workbench.analysis.number_comparison import NumberComparison, compare_numbers
    from workbench.analysis.sensitivity import sensitivity
    from workbench.artifact.artifact import Artifact, load
    from workbench.artifact.ledger import Ledger
    from workbench.cancel import CancelToken
    from workbench.custom.from_module import from_module
    from workbench.custom.learn import from_table, from_text
    from workbench.custom.loaders.checkpoint import from_checkpoint
    from workbench.custom.loaders.keras import from_keras
    from workbench.custom.loaders.libraries import from_timm, from_transformers
    from workbench.custom.pictures.learn import from_pictures, inspect_pictures
    from workbench.custom.plugin import LazySplit, ModelPlugin
    from workbench.custom.prediction.evaluate import NewDataReport, evaluate
    from workbench.custom.prediction.predict import predict
    from workbench.custom.prediction.predictions import Predictions
    from workbench.custom.tables.inspect import inspect_table
    from workbench.custom.tables.inspection import Inspection
    from workbench.custom.to_module import to_module
    from workbench.deploy.agreement import Agreement
    from workbench.deploy.confirm import confirm
    from workbench.deploy.export import export
    from workbench.deploy.package import Package, load_package
    from workbench.deploy.target import Target
    from workbench.deploy.timing import Benchmark, benchmark
    from workbench.domain import Model, Task
    from workbench.errors import WorkbenchError
    from workbench.evaluation.honest_figures import HonestFigures, honest_figures
    from workbench.evaluation.measure import measure
    from workbench.evaluation.report import Report
    from workbench.experiments.train_student import train_student
    from workbench.languages import use_language
    from workbench.panels import dashboard, ui
    from workbench.panels.live import Live, watch
    from workbench.parallel.evaluate import ParallelEvaluation, evaluate_in_parallel
    from workbench.parallel.measure import ParallelMeasurement, measure_in_parallel
    from workbench.parallel.result import ParallelTraining
    from workbench.parallel.torchrun import write_job
    from workbench.parallel.train import train_in_parallel
    from workbench.planner.calibrate import calibrate_chip
    from workbench.planner.module_plan import ModulePlan
    from workbench.planner.plan import plan
    from workbench.planner.results import InferencePlan, TrainingPlan
    from workbench.planner.validation import plan_validation
    from workbench.profiling.energy.carbon import Carbon, carbon
    from workbench.profiling.energy.energy import Energy
    from workbench.profiling.energy.meter import EnergyMeter, energy_of
    from workbench.profiling.energy.processors import CpuPower
    from workbench.profiling.inference_energy import InferenceEnergy, inference_energy
    from workbench.profiling.memory.memory import Memory
    from workbench.profiling.memory.predict import memory
    from workbench.profiling.roofline import Roofline, roofline
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
    from workbench.streaming.compare import compare_files
    from workbench.streaming.compress import compress_file
    from workbench.streaming.decompress import decompress
    from workbench.streaming.inspect_checkpoint import inspect_checkpoint
    from workbench.study.optimize import optimize
    from workbench.study.recommendation import Recommendation
    from workbench.study.run import run_study
    from workbench.study.space import Space
    from workbench.study.study import Study
    from workbench.training.compress import compress, train
    from workbench.zoo import model, models, task, tasks
    from workbench.zoo.students import Student, student, students

__all__ = [
    "Activations",
    "Adjust",
    "Agreement",
    "Artifact",
    "Attribution",
    "Benchmark",
    "CancelToken",
    "Carbon",
    "Comparison",
    "CpuPower",
    "Energy",
    "EnergyMeter",
    "Factorize",
    "Generation",
    "Histogram",
    "HonestFigures",
    "InferenceEnergy",
    "InferencePlan",
    "Inspection",
    "LazySplit",
    "Ledger",
    "Live",
    "Memory",
    "Model",
    "ModelPlugin",
    "ModulePlan",
    "NewDataReport",
    "NumberComparison",
    "Package",
    "ParallelEvaluation",
    "ParallelMeasurement",
    "ParallelTraining",
    "Predictions",
    "Prune",
    "Quantize",
    "Recipe",
    "Recommendation",
    "Report",
    "Roofline",
    "Session",
    "Share",
    "Space",
    "Structure",
    "Student",
    "Study",
    "Target",
    "Task",
    "Train",
    "TrainingPlan",
    "WorkbenchError",
    "attribution",
    "benchmark",
    "calibrate_chip",
    "carbon",
    "compare",
    "compare_files",
    "compare_numbers",
    "compress",
    "compress_file",
    "confirm",
    "dashboard",
    "decompress",
    "energy_of",
    "evaluate",
    "evaluate_in_parallel",
    "export",
    "from_checkpoint",
    "from_keras",
    "from_module",
    "from_pictures",
    "from_table",
    "from_text",
    "from_timm",
    "from_transformers",
    "generate",
    "histogram",
    "honest_figures",
    "inference_energy",
    "inspect_checkpoint",
    "inspect_pictures",
    "inspect_table",
    "load",
    "load_package",
    "measure",
    "measure_in_parallel",
    "memory",
    "model",
    "models",
    "optimize",
    "plan",
    "plan_validation",
    "predict",
    "roofline",
    "run_study",
    "sensitivity",
    "student",
    "students",
    "task",
    "tasks",
    "to_module",
    "train",
    "train_in_parallel",
    "train_student",
    "ui",
    "use_language",
    "watch",
    "write_job",
]

# Public names by the module that defines them. They load on first use, so that importing is cheap.
_NAMES = {
    "analysis.attribution": ("Attribution", "attribution"),
    "analysis.comparison": ("Comparison", "compare"),
    "analysis.generation": ("Generation", "generate"),
    "analysis.histogram": ("Histogram", "histogram"),
    "analysis.number_comparison": ("NumberComparison", "compare_numbers"),
    "analysis.sensitivity": ("sensitivity",),
    "artifact.artifact": ("Artifact", "load"),
    "artifact.ledger": ("Ledger",),
    "cancel": ("CancelToken",),
    "custom.from_module": ("from_module",),
    "custom.learn": ("from_table", "from_text"),
    "custom.loaders.checkpoint": ("from_checkpoint",),
    "custom.loaders.keras": ("from_keras",),
    "custom.loaders.libraries": ("from_timm", "from_transformers"),
    "custom.pictures.learn": ("from_pictures", "inspect_pictures"),
    "custom.plugin": ("LazySplit", "ModelPlugin"),
    "custom.prediction.evaluate": ("NewDataReport", "evaluate"),
    "custom.prediction.predict": ("predict",),
    "custom.prediction.predictions": ("Predictions",),
    "custom.tables.inspect": ("inspect_table",),
    "custom.tables.inspection": ("Inspection",),
    "custom.to_module": ("to_module",),
    "deploy.agreement": ("Agreement",),
    "deploy.confirm": ("confirm",),
    "deploy.export": ("export",),
    "deploy.package": ("Package", "load_package"),
    "deploy.target": ("Target",),
    "deploy.timing": ("Benchmark", "benchmark"),
    "domain": ("Model", "Task"),
    "errors": ("WorkbenchError",),
    "evaluation.honest_figures": ("HonestFigures", "honest_figures"),
    "evaluation.measure": ("measure",),
    "evaluation.report": ("Report",),
    "experiments.train_student": ("train_student",),
    "languages": ("use_language",),
    "panels": ("dashboard",),
    "panels.live": ("Live", "watch"),
    "planner.calibrate": ("calibrate_chip",),
    "planner.module_plan": ("ModulePlan",),
    "planner.plan": ("plan",),
    "planner.results": ("InferencePlan", "TrainingPlan"),
    "profiling.energy.carbon": ("Carbon", "carbon"),
    "profiling.energy.energy": ("Energy",),
    "profiling.energy.meter": ("EnergyMeter", "energy_of"),
    "profiling.energy.processors": ("CpuPower",),
    "profiling.inference_energy": ("InferenceEnergy", "inference_energy"),
    "profiling.memory.memory": ("Memory",),
    "profiling.memory.predict": ("memory",),
    "profiling.roofline": ("Roofline", "roofline"),
    "planner.validation": ("plan_validation",),
    "parallel.evaluate": ("ParallelEvaluation", "evaluate_in_parallel"),
    "parallel.measure": ("ParallelMeasurement", "measure_in_parallel"),
    "parallel.result": ("ParallelTraining",),
    "parallel.torchrun": ("write_job",),
    "parallel.train": ("train_in_parallel",),
    "recipe": (
        *("Activations", "Adjust", "Factorize", "Prune", "Quantize"),
        *("Recipe", "Share", "Structure", "Train"),
    ),
    "session": ("Session",),
    "streaming.compare": ("compare_files",),
    "streaming.compress": ("compress_file",),
    "streaming.decompress": ("decompress",),
    "streaming.inspect_checkpoint": ("inspect_checkpoint",),
    "study.optimize": ("optimize",),
    "study.recommendation": ("Recommendation",),
    "study.run": ("run_study",),
    "study.space": ("Space",),
    "study.study": ("Study",),
    "training.compress": ("compress", "train"),
    "zoo": ("model", "models", "task", "tasks"),
    "zoo.students": ("Student", "student", "students"),
}
_PUBLIC_MODULES = {"ui": "panels.ui"}
_MODULES = _PUBLIC_MODULES | {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # loads a dozen modules

        return version("workbench")
    if name not in _MODULES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    module = import_module(f"workbench.{_MODULES[name]}")
    value = module if name in _PUBLIC_MODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
