"""Check that the tensors of a file fit the model and the module spec that it names."""

from __future__ import annotations

from math import isclose
from typing import Any

from workbench.artifact.artifact import Artifact
from workbench.domain import Model
from workbench.domain.module_tensors import tensors_of
from workbench.domain.unstored import check_unstored
from workbench.errors import ArtifactError, WorkbenchError
from workbench.runtime.shell import Shell

NUMBER_TOLERANCE = 1e-9
"""The relative difference of numbers that the same data have on another machine."""


def same_origin(model: Model, artifact: Artifact) -> bool:
    """Whether a model and a file were made from the same data with the same choices.

    For models that do not say what they were made from, this cannot be decided; it is true if the
    file does not say it either.
    """
    digests = [
        None if made_from is None else made_from["origin"]["digest"]
        for made_from in (model.preprocessing, artifact.preprocessing)
    ]
    return digests[0] == digests[1]


def same_preprocessing(model: Model, artifact: Artifact) -> bool:
    """Whether a model reads data as a file does, up to the rounding of another machine."""
    first, second = model.preprocessing or {}, artifact.preprocessing or {}
    keys = first.keys() | second.keys()
    return all(_close(first.get(key), second.get(key)) for key in keys - {"origin"})


def _close(first: Any, second: Any) -> bool:
    """Whether plain data are equal, and their numbers almost equal."""
    if isinstance(first, float) and isinstance(second, float):
        return isclose(first, second, rel_tol=NUMBER_TOLERANCE)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_close(v, second[k]) for k, v in first.items())
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_close, first, second))
    return bool(first == second)


def check_fit(model: Model, artifact: Artifact) -> None:
    """Run one example through the module that the file specifies, with the file's tensors.

    Raises
    ------
    ArtifactError
        If tensors are missing or superfluous, have shapes that the spec does not allow, or do not
        run together, or the model holds other values than those that the file needs.
    """
    mismatch = ArtifactError(
        f"The file says it holds {model.name}, but its tensors do not fit that model.",
        code="artifact.tensor_mismatch",
    )
    run = Shell(model.with_spec(artifact.spec))
    expected = {
        name: tuple(tensor.shape)
        for name, tensor in tensors_of(run.module).items()
        if not name.endswith(".weight_scale")
    }
    shapes = {name: coded.shape for name, coded in artifact.tensors.items()}
    if shapes.keys() != expected.keys():
        raise mismatch
    if not artifact.spec.narrowed and shapes != expected:
        raise mismatch
    for name, shape in shapes.items():
        if len(shape) != len(expected[name]) or any(
            size > limit or (size == 0) != (limit == 0)
            for size, limit in zip(shape, expected[name], strict=True)
        ):
            raise mismatch
    check_unstored(artifact, run.module, model.architecture.unstored)
    inputs = model.task.inputs(model.task.split("validation").examples[:1])
    try:
        outputs = run(artifact.operands(), inputs)
    except WorkbenchError:
        raise
    except (RuntimeError, ValueError) as error:
        raise mismatch from error
    counts_classes = model.task.metric.counts == "classes"
    if counts_classes and tuple(outputs.shape) != (1, len(model.task.classes)):
        raise mismatch
