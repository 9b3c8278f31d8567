"""Check that the tensors of a file fit the model and the module spec that it names."""

from __future__ import annotations

from workbench.artifact.artifact import Artifact
from workbench.domain import Model
from workbench.domain.module_tensors import tensors_of
from workbench.errors import ArtifactError, WorkbenchError
from workbench.runtime.shell import Shell


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


def check_fit(model: Model, artifact: Artifact) -> None:
    """Run one example through the module that the file specifies, with the file's tensors.

    Raises
    ------
    ArtifactError
        If tensors are missing or superfluous, have shapes that the spec does not allow, or do not
        run together.
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
