"""From a file of a known model to an ordinary PyTorch module."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.artifact.artifact import Artifact
from workbench.domain.file_match import check_fit
from workbench.runtime.batch import HALF_DTYPES, call
from workbench.runtime.integer_layers import uses_integer_inputs
from workbench.runtime.layer_sizes import fix_sizes
from workbench.runtime.unfused import restore_fusion
from workbench.zoo.registry import model


def artifact_to_module(artifact: Artifact) -> nn.Module:
    """Return the network of a file, as small as the file has it: a module in eval mode, on the CPU.

    It holds the decoded weights and needs nothing of this package but, where inputs are rounded,
    the layers that do it. Its float32 outputs are those that the judge starts from.

    Raises
    ------
    UnknownNameError
        When the file's model is not known.
    ArtifactError
        When the file's tensors are not those of its model.
    """
    original = model(artifact.model)
    check_fit(original, artifact)
    module = original.with_spec(artifact.spec).unguarded_module()
    operands = artifact.operands()
    if artifact.spec.narrowed:  # some norms have no weight to tell their size
        fewest = 1 if original.architecture.traits.single_example else 2
        some = original.task.inputs(original.task.split("validation").examples[:fewest])
        with torch.no_grad():
            call(module, operands, some)
    return load_operands(module, operands)


def load_operands(module: nn.Module, operands: Mapping[str, Tensor]) -> nn.Module:
    """Return `module`, which is nobody else's, with the tensors that a file has for it."""
    tied = _tied(module)
    own = dict(module.named_buffers())
    half = any(parameter.dtype in HALF_DTYPES for parameter in module.parameters())
    for name, tensor in operands.items():
        held = nn.Parameter(tensor, requires_grad=False) if name in tied else tensor
        if name in own and not half:  # files hold half precision widened, which loses nothing
            held = held.to(own[name].dtype)
        for place in tied.get(name, [name]):
            path, _, leaf = place.rpartition(".")
            setattr(module.get_submodule(path), leaf, held)
    fix_sizes(module)
    integers = any(uses_integer_inputs(layer) for layer in module.modules())
    return module if integers else restore_fusion(module)


def _tied(module: nn.Module) -> dict[str, list[str]]:
    """Return all names of each parameter by its first, which is the one in files."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return {some[0]: some for some in names.values()}
