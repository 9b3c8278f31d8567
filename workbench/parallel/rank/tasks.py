"""Commands of a rank that need no communication: parts of an evaluation, and recipes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import load_file

from workbench.parallel.objects import read_object

if TYPE_CHECKING:
    from workbench.domain import Model

Emit = Callable[[Mapping[str, Any]], None]


def _model(request: Mapping[str, Any]) -> Model:
    description = request["model"]
    if "object" in description:
        from workbench.zoo.registry import register_model

        sent: Model = read_object(description, Path(request["folder"]))
        register_model(sent)  # a file names its model
        return sent
    from workbench.zoo import model

    return model(description["name"])


def evaluate(request: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Count the correct reference predictions in a part of a split."""
    from workbench.evaluation.reference import predict

    chosen = _model(request)
    split = chosen.task.split(request["split"])
    begin, end = request["range"]
    predictions = predict(chosen, load_file(request["weights"]), split.examples[begin:end])
    correct = int((predictions == split.labels[begin:end]).sum())
    return {"correct": correct, "examples": end - begin}


def measure(request: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Measure recipes one after the other and send each result."""
    from workbench.evaluation.measure import evaluate as evaluate_file
    from workbench.recipe import Recipe
    from workbench.training.compress import compress

    chosen = _model(request)
    for number, values in request["recipes"].items():
        start = time.process_time()
        artifact = compress(chosen, Recipe.from_json(values))
        report = evaluate_file(artifact, split="test", timed=False)
        assert report.score is not None
        emit(
            {
                "event": "result",
                "number": int(number),
                "digest": artifact.digest,
                "bytes": len(artifact),
                "accuracy": report.score.value,
                "seconds": time.process_time() - start,
            }
        )
    return {}
