"""Whether a file's tensors are those of the model that it names, in the form that it says."""

from __future__ import annotations

from workbench.artifact.artifact import Artifact
from workbench.domain import Model
from workbench.domain.user_architecture import tensors_of
from workbench.errors import ArtifactError
from workbench.runtime.shell import Shell


def check_fit(model: Model, artifact: Artifact) -> None:
    """Run one example through the module in a file's form, with the file's tensors.

    Raises
    ------
    ArtifactError
        When tensors are missing or too many, of other shapes than the form allows, or do not go
        together.
    """
    wrong = ArtifactError(
        f"The file says it holds {model.name}, but its tensors are not those of that model."
    )
    run = Shell(model.with_spec(artifact.spec))
    expected = {
        name: tuple(tensor.shape)
        for name, tensor in tensors_of(run.module).items()
        if not name.endswith(".weight_scale")
    }
    found = {name: coded.shape for name, coded in artifact.tensors.items()}
    if set(found) != set(expected):
        raise wrong
    if not artifact.spec.narrowed and found != expected:
        raise wrong
    for name, shape in found.items():
        if len(shape) != len(expected[name]) or any(
            n > most or (n == 0) != (most == 0)
            for n, most in zip(shape, expected[name], strict=True)
        ):
            raise wrong
    inputs = model.task.inputs(model.task.split("validation").examples[:1])
    try:
        outputs = run(artifact.operands(), inputs)
    except (RuntimeError, ValueError) as error:
        raise wrong from error
    counts_classes = model.task.metric.counts == "classes"
    if counts_classes and tuple(outputs.shape) != (1, len(model.task.classes)):
        raise wrong
