"""From a file to an ordinary PyTorch module."""

from __future__ import annotations

from torch import nn

from workbench.artifact.artifact import Artifact
from workbench.errors import ArtifactError
from workbench.recipe.schema import brief
from workbench.zoo.fit import check_fit
from workbench.zoo.registry import model

SIZES: dict[type[nn.Module], tuple[tuple[str, int], ...]] = {
    nn.Linear: (("out_features", 0), ("in_features", 1)),
    nn.Conv1d: (("out_channels", 0), ("in_channels", 1)),
    nn.Conv2d: (("out_channels", 0), ("in_channels", 1)),
    nn.BatchNorm1d: (("num_features", 0),),
    nn.BatchNorm2d: (("num_features", 0),),
}
"""What each kind of layer says of the axes of its weight."""


def rebuild(artifact: Artifact) -> nn.Module:
    """Return the network of a file, as small as the file has it: a module in eval mode, on the CPU.

    It holds the decoded weights and needs nothing of this package but, where inputs are rounded,
    the layers that do it. Its float32 outputs are those that the judge starts from.

    Raises
    ------
    UnknownNameError
        When the file's model is not one of the built-in ones.
    ArtifactError
        When the file's tensors are not those of its model.

    >>> import workbench as wb
    >>> recipe = wb.Recipe(structure=wb.Structure(removed=0.5))
    >>> wb.rebuild(wb.compress(wb.model("fashion/lenet-300-100"), recipe)).fc1
    Linear(in_features=784, out_features=150, bias=True)
    """
    if not isinstance(artifact, Artifact):
        raise ArtifactError(f"Give what wb.load(path) returns, not {brief(artifact)}.")
    original = model(artifact.model)
    check_fit(original, artifact)
    module = original.in_form(artifact.form).plain_module()
    tied = _tied(module)
    for name, tensor in artifact.operands().items():
        held = nn.Parameter(tensor, requires_grad=False) if name in tied else tensor
        for place in tied.get(name, [name]):
            path, _, leaf = place.rpartition(".")
            setattr(module.get_submodule(path), leaf, held)
    for layer in module.modules():
        for attribute, axis in SIZES.get(type(layer), ()):
            setattr(layer, attribute, getattr(layer, "weight").shape[axis])  # noqa: B009 - a tensor
    return module


def _tied(module: nn.Module) -> dict[str, list[str]]:
    """Return all names of each parameter by its first, which is the one in files."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return {some[0]: some for some in names.values()}
