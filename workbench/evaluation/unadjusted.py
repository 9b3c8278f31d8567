"""Find layers that a requested adjustment left unchanged, from the file and its network."""

from __future__ import annotations

import torch

from workbench.artifact.artifact import Artifact
from workbench.calibration.adjust import target_means
from workbench.calibration.batch_norm import STATISTICS
from workbench.calibration.bias_correction import mean_outputs
from workbench.calibration.structure import PreparedNetwork
from workbench.domain import Model
from workbench.runtime.batch_norm import tracking_norms
from workbench.runtime.build import FOLD_TARGETS
from workbench.runtime.shell import shell
from workbench.training.setup import starting_network


def unadjusted(model: Model, artifact: Artifact) -> dict[str, tuple[str, ...]]:
    """Return the unchanged layers of each requested adjustment, by kind of `Reason`.

    Batch norms are named by module path, layers and biases by tensor.
    """
    recipe = artifact.recipe
    if not (recipe.folds or recipe.equalizes or recipe.recalibrates or recipe.corrects):
        return {}
    prepared, shaped = starting_network(model, recipe), model.with_spec(artifact.spec)
    unchanged: dict[str, tuple[str, ...]] = {}
    if recipe.folds:
        unchanged["norms_stay"] = tuple(tracking_norms(shell(shaped).module))
    if recipe.equalizes:
        candidates = prepared.equalized or prepared.not_equalized
        unchanged["uneven"] = prepared.not_equalized
        unchanged["none_even"] = () if candidates else ("",)
    if recipe.recalibrates:
        unchanged["norms_as_they_were"] = _not_recalibrated(shaped, prepared, artifact)
    if recipe.corrects:
        unchanged["biases_as_they_were"] = _not_corrected(shaped, prepared, artifact)
    return unchanged


def _not_recalibrated(
    shaped: Model, prepared: PreparedNetwork, artifact: Artifact
) -> tuple[str, ...]:
    """Return the norms whose statistics are bit-identical to those before."""
    return tuple(
        path
        for path in tracking_norms(shell(shaped).module)
        if all(_unchanged(f"{path}.{name}", prepared, artifact) for name in STATISTICS)
    )


def _not_corrected(shaped: Model, prepared: PreparedNetwork, artifact: Artifact) -> tuple[str, ...]:
    """Return the biases that could not be corrected, or only with non-finite values."""
    layers = shell(shaped).module.named_modules()
    biases = [f"{p}.bias".removeprefix(".") for p, m in layers if isinstance(m, FOLD_TARGETS)]
    before = shaped.with_spec(prepared.spec)
    correctable = target_means(before, prepared)
    if any(
        _unchanged(name, prepared, artifact)
        and not _unchanged(f"{name.removesuffix('bias')}weight", prepared, artifact)
        for name in correctable
    ):
        correctable = mean_outputs(before, artifact.weights())  # omits non-finite means
    return tuple(name for name in biases if name in artifact.tensors and name not in correctable)


def _unchanged(name: str, prepared: PreparedNetwork, artifact: Artifact) -> bool:
    """Whether the file has this tensor with its values from before the adjustment."""
    if name not in artifact.tensors:
        return False
    return torch.equal(artifact.tensors[name].tensor(), prepared.weights[name])
