"""What the module of a file runs on."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from workbench.artifact.module_spec import ModuleSpec
from workbench.compression.coded import Coded, Codes


def operands(tensors: Mapping[str, Coded], form: ModuleSpec) -> dict[str, Tensor]:
    """Return the tensors that a module in `form` takes, by name: a fresh copy.

    They are the decoded weights, float32 where they were floats. Where a layer computes with
    integers, ``….weight_scale``, float32 [rows], is what its weights count in: divided by it they
    are codes less zero points. Weights that do not count in one scale a row have scales of 1.
    """
    found = {name: coded.tensor().clone() for name, coded in tensors.items()}
    for path, _grid in form.inputs:
        name = f"{path}.weight"
        coded = tensors[name]
        scale = torch.ones(coded.shape[0])
        if isinstance(coded, Codes) and coded.has_row_scales:
            _codes, scale = coded.counts()
        found[f"{name}_scale"] = scale
    return found
