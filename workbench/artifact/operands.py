"""The tensors that the module of an artifact runs on."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.artifact.module_spec import ModuleSpec
from workbench.compression.coded import Coded, Codes
from workbench.errors import ArtifactError


def operands(tensors: Mapping[str, Coded], spec: ModuleSpec) -> dict[str, Tensor]:
    """Return a fresh copy of the tensors that a module with `spec` takes, by name.

    These are the decoded weights, float32 if the originals were floats. Each layer that computes
    with integers also gets ``….weight_scale``, a float32 tensor of shape [rows]: its weights
    divided by that scale are the codes minus the zero points. The scale is 1 if the weights do not
    have one scale per row.

    Raises
    ------
    ArtifactError
        If biases are rounded where weights do not have one scale per row.
    """
    result = {name: coded.tensor().clone() for name, coded in tensors.items()}
    for path, _qparams in spec.inputs:
        name = f"{path}.weight"
        coded = tensors[name]
        scale = torch.ones(coded.shape[0])
        if isinstance(coded, Codes) and coded.has_row_scales:
            _codes, scale = coded.centered_codes()
        elif path in spec.biases:
            raise ArtifactError(
                f"The file rounds the bias of {path!r}, whose weights do not have one scale per "
                "row. Download or save it again.",
                code="artifact.no_row_scales",
            )
        result[f"{name}_scale"] = scale
    return result
