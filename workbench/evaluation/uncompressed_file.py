"""The length of the file of a model without compression, before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.domain import Model
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor

FILE_BYTES = "file_bytes"
"""Its entry in a model card."""


def uncompressed_bytes(model: Model) -> int:
    """Return the length in bytes of the Workbench file of `model` without compression.

    It is that of the file that a download without a recipe saves. It depends on the model's name,
    which the file contains. The cards of built-in models and of students have it; of other models
    it is computed once.
    """
    if FILE_BYTES not in model.card:
        model.card[FILE_BYTES] = computed_bytes(model)
    return int(model.card[FILE_BYTES])


def computed_bytes(model: Model, weights: Mapping[str, Tensor] | None = None) -> int:
    """Return that length in bytes, of the file as it would be written.

    Parameters
    ----------
    model
        Its name and architecture are part of the file.
    weights
        The tensors by name, of any shape; by default those of its checkpoint.
    """
    from workbench.calibration.statistics import calibration_stats  # loads torch
    from workbench.calibration.structure import change_structure
    from workbench.pipeline import TrainedNetwork, run_pipeline

    recipe = Recipe()
    network = change_structure(model, recipe, calibration_stats(model, recipe), weights)
    return len(run_pipeline(model, recipe, TrainedNetwork(network, network.weights)))
