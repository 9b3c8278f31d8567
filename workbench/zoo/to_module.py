"""Convert a file of a known model to an ordinary PyTorch module."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.artifact.artifact import Artifact
from workbench.artifact.module_spec import ModuleSpec
from workbench.domain import Model
from workbench.domain.file_match import check_fit
from workbench.runtime.batch import HALF_DTYPES, call, in_memory_order, memory_order
from workbench.runtime.integer_layers import uses_integer_inputs
from workbench.runtime.layer_sizes import fix_sizes
from workbench.runtime.unfused import restore_fusion, unfuse
from workbench.zoo.model_of_file import model_of_file


def artifact_to_module(artifact: Artifact, original: Model | None = None) -> nn.Module:
    """Return the compressed network of a file as a module in eval mode on the CPU.

    It holds the decoded weights and has the sizes of the file. It needs nothing of this package
    except, if inputs are quantized, the forward of those layers. Its float32 outputs are those of
    the reference evaluation.

    Parameters
    ----------
    artifact
        The file.
    original
        The model that was compressed; by default the known model that the file names.

    Raises
    ------
    UnknownNameError
        If the model of the file is unknown.
    ArtifactError
        If the tensors of the file do not fit its model.
    """
    original = model_of_file(artifact) if original is None else original
    check_fit(original, artifact)
    return _loaded(original, artifact.spec, artifact.operands())


def decoded_module(artifact: Artifact, original: Model | None = None) -> nn.Module:
    """Return the network of a file with decoded weights, which rounds no inputs and no outputs.

    The parameters and errors are those of `artifact_to_module`.
    """
    original = model_of_file(artifact) if original is None else original
    check_fit(original, artifact)
    module = _loaded(original, artifact.spec.without_integers(), artifact.weights())
    return unfuse(module) if artifact.spec.inputs else module


def _loaded(original: Model, spec: ModuleSpec, operands: Mapping[str, Tensor]) -> nn.Module:
    module = original.with_spec(spec).unguarded_module()
    if spec.narrowed:  # norms without weights get their size from a run
        fewest = 1 if original.architecture.traits.single_example else 2
        inputs = original.task.inputs(original.task.split("validation").examples[:fewest])
        with torch.no_grad():
            call(module, operands, inputs)
    return load_operands(module, operands)


def load_operands(module: nn.Module, operands: Mapping[str, Tensor]) -> nn.Module:
    """Set the tensors of a private `module` to the `operands` of a file, and return it."""
    tied = _tied(module)
    buffers = dict(module.named_buffers())
    orders = {name: memory_order(parameter) for name, parameter in module.named_parameters()}
    half = any(parameter.dtype in HALF_DTYPES for parameter in module.parameters())
    for name, operand in operands.items():
        tensor = in_memory_order(operand, orders.get(name))
        value = nn.Parameter(tensor, requires_grad=False) if name in tied else tensor
        if name in buffers and not half:  # files hold half precision as float32
            value = value.to(buffers[name].dtype)
        for place in tied.get(name, [name]):
            path, _, leaf = place.rpartition(".")
            setattr(module.get_submodule(path), leaf, value)
    fix_sizes(module)
    integers = any(uses_integer_inputs(layer) for layer in module.modules())
    return module if integers else restore_fusion(module)


def _tied(module: nn.Module) -> dict[str, list[str]]:
    """Return all names of each parameter by its first name, which files use."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return {group[0]: group for group in names.values()}
