"""The commands: their options, actions and output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from workbench.cli import (
    checkpoints,
    command_options,
    deployment,
    environments,
    files,
    inspecting,
    learning,
    models,
    optimizing,
    parallel,
    planning,
    prediction,
    serving,
    tables,
    training,
)
from workbench.cli.recipes import read_recipe
from workbench.errors import ArtifactError, InputError, WorkbenchError
from workbench.progress import progress_bar
from workbench.recipe.off import BY_LAYER
from workbench.recipe.recipe import PARTS

Parser = argparse.ArgumentParser
Result = dict[str, Any]


@dataclass(frozen=True)
class Command:
    """A command: how to add its options, run it, and print its result if it has one.

    `parts` are the parts of a recipe whose fields are options. `status` is the exit status for a
    result.
    """

    name: str
    help: str
    add_options: Callable[[Parser], None]
    run: Callable[[argparse.Namespace], Result | None]
    show: Callable[[Result], None] | None = None
    parts: tuple[str, ...] = ()
    status: Callable[[Result], int] = lambda result: 0


def _list(options: argparse.Namespace) -> Result:
    from workbench.domain import Model
    from workbench.zoo import model, models as names, task, tasks

    loaded: list[Model] = []
    for name in names():
        try:
            loaded.append(model(name))
        except WorkbenchError as error:  # a plug-in failed: list the other models
            print(error, file=sys.stderr)
    return {
        "tasks": [{"name": name, "title": task(name).title} for name in tasks()],
        "models": [
            {
                "name": item.name,
                "title": item.title,
                "parameters": item.card["parameters"],
                "macs": item.card["macs"],
                "original_bytes": item.original_bytes,
                "metric": item.task.metric.name,
                "figures": {split: item.metric_value(split) for split in item.card["accuracy"]},
            }
            for item in loaded
        ],
    }


def _measure(options: argparse.Namespace) -> Result:
    chosen, recipe = models.find(options.model), read_recipe(options)  # checked before torch loads
    from workbench.evaluation.measure import measure

    with progress_bar("measuring") as advance:
        report = measure(
            chosen,
            recipe,
            split=options.split,
            on_report=lambda report: advance(report.examples or 0, report.total or 0),
        )
        baseline = recipe.baseline if recipe.train is None else recipe
        if baseline == recipe:
            return report.as_dict()
        other = measure(chosen, baseline, split=options.split, timed=False)
    short = {"recipe": baseline.as_dict(), "bytes": other.bytes, "value": other.value}
    return {**report.as_dict(), "baseline": short}


def _sensitivity(options: argparse.Namespace) -> Result:
    chosen, recipe = models.find(options.model), read_recipe(options)
    from workbench.analysis.sensitivity import sensitivity
    from workbench.recipe.off import disabled_part

    with progress_bar("measuring each layer") as advance:
        result = sensitivity(
            chosen,
            getattr(recipe, options.part) or disabled_part(options.part),
            options.settings,
            on_report=lambda partial: advance(
                len(partial.points), len(partial.layers) * len(partial.settings)
            ),
        )
    return {"model": chosen.name, **result.as_dict()}


def _compress(options: argparse.Namespace) -> Result:
    from workbench.zoo import models as names

    if options.model not in names() and files.is_tensor_file(options.model):
        return files.compress(options, read_recipe(options))
    from workbench.artifact.writing import check_writable

    check_writable(options.output)
    chosen, recipe = models.find(options.model), read_recipe(options)
    from workbench.training.compress import compress

    artifact = compress(chosen, recipe)
    path = artifact.save(options.output)
    return {
        "file": str(path),
        "model": artifact.model,
        "recipe": artifact.recipe.as_dict(),
        "bytes": len(artifact),
        "original_bytes": chosen.original_bytes,
        "digest": artifact.digest,
        "ledger": artifact.ledger.as_dict(),
    }


def _train(options: argparse.Namespace) -> Result:
    return training.run(options, read_recipe(options))


def _evaluate(options: argparse.Namespace) -> Result:
    from workbench.artifact.artifact import load
    from workbench.custom.prediction.evaluate import evaluate

    artifacts = []
    for path in options.files:
        with _naming(path):
            files.check_has_model(path)
            artifacts.append((path, load(path)))
    results: list[Result] = []
    with progress_bar("evaluating") as advance, models.model_of_file(options):
        for path, artifact in artifacts:
            advance(len(results), len(artifacts))
            if options.data is None:
                if options.encoding is not None:
                    raise InputError("--encoding is for --data.", code="evaluate.encoding")
                result = evaluate(artifact, split=options.split).as_dict()
            else:
                result = evaluate(artifact, data=options.data, encoding=options.encoding).as_dict()
            results.append({"file": path, **result})
        advance(len(artifacts), len(artifacts))
    return results[0] if len(results) == 1 else {"files": results}


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Let errors about the content of a file name it."""
    try:
        yield
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}", code=error.code) from None


COMPRESSION_PARTS = tuple(part for part in PARTS if part != "train")
COMMANDS = (
    Command(
        "list",
        "Show the built-in tasks and models.",
        command_options.no_options,
        _list,
        tables.listing,
    ),
    Command(
        "measure",
        "Measure a model under a recipe.",
        command_options.measure,
        _measure,
        tables.report,
        tuple(PARTS),
    ),
    Command(
        "sensitivity",
        "Measure what compressing each layer alone costs.",
        command_options.sensitivity,
        _sensitivity,
        tables.sensitivity,
        BY_LAYER,
    ),
    Command(
        "compress",
        "Compress a model or a tensor file.",
        command_options.compress,
        _compress,
        tables.saved,
        tuple(PARTS),
    ),
    Command(
        "decompress",
        "Write the tensors of a compressed file as plain safetensors.",
        command_options.decompress,
        files.decompress,
        tables.written,
    ),
    Command(
        "to-module",
        "Write the weights of a compressed file as the state dict of its PyTorch module.",
        command_options.to_module,
        files.to_module,
        tables.written,
    ),
    Command(
        "optimize",
        "Find the best recipe under limits, measured on the model.",
        optimizing.add_options,
        optimizing.run,
        optimizing.show,
        status=optimizing.status,
    ),
    Command(
        "train",
        "Train a model under a recipe and write its file.",
        command_options.train,
        _train,
        tables.trained,
        COMPRESSION_PARTS,
    ),
    Command(
        "distill",
        "Train a student on the outputs of a teacher and write its file.",
        command_options.distill,
        _train,
        tables.trained,
        COMPRESSION_PARTS,
    ),
    Command(
        "learn",
        "Train a small network on a table or pictures and write its file.",
        learning.add_options,
        learning.run,
        learning.show,
    ),
    Command(
        "evaluate",
        "Evaluate compressed files from their bytes.",
        command_options.evaluate,
        _evaluate,
        tables.reports,
    ),
    Command(
        "export",
        "Write the network of a compressed file for an inference runtime.",
        deployment.export_options,
        deployment.export,
        deployment.show_export,
    ),
    Command(
        "confirm",
        "Run an exported network on every example of a split, and compare it with the file.",
        deployment.confirm_options,
        deployment.confirm,
        deployment.show_confirm,
    ),
    Command(
        "benchmark",
        "Time a compressed file in inference runtimes, after its predictions are confirmed.",
        deployment.benchmark_options,
        deployment.benchmark,
        deployment.show_benchmark,
    ),
    Command(
        "parallel",
        "Train a model on several processes and compare with one.",
        parallel.add_options,
        parallel.run,
        parallel.show,
    ),
    Command(
        "setup",
        "Make a Python environment for packages that conflict with those of Workbench.",
        environments.setup_options,
        environments.setup,
        environments.show_setup,
    ),
    Command(
        "predict",
        "Predict from new rows of a table, new pictures or new texts.",
        prediction.add_options,
        prediction.run,
        prediction.show,
    ),
    Command(
        "inspect",
        "Show what a table, pictures, or a file of weights contains before anything is done.",
        inspecting.add_options,
        inspecting.inspect,
        inspecting.show,
        COMPRESSION_PARTS,
    ),
    Command(
        "plan",
        "Plan a large model on a chip: does it fit, how long does it take, at which energy?",
        planning.add_options,
        planning.run,
        planning.show,
    ),
    Command(
        "compare",
        "Show how far the tensors of one file are from those of another.",
        command_options.compare,
        checkpoints.compare,
        tables.differences,
    ),
    Command(
        "dashboard", "Open the page in a browser.", serving.dashboard_options, serving.dashboard
    ),
    Command("lab", "Open the notebooks in JupyterLab.", serving.lab_options, serving.lab),
)
