"""Find layers that a requested adjustment left unchanged, from the file and its network."""

from __future__ import annotations

from collections.abc import Callable

import torch

from workbench.artifact.artifact import Artifact
from workbench.calibration.batch_norm import STATISTICS
from workbench.calibration.bias_correction import mean_outputs
from workbench.calibration.finish import target_means
from workbench.calibration.prepare import PreparedNetwork
from workbench.domain import Model
from workbench.runtime.batch_norm import tracking_norms
from workbench.runtime.build import FOLD_TARGETS
from workbench.runtime.shell import shell
from workbench.training.setup import starting_network

Finder = Callable[[Model, PreparedNetwork, Artifact], tuple[str, ...]]


def unadjusted(model: Model, artifact: Artifact) -> dict[str, tuple[str, ...]]:
    """Return the unchanged layers of each requested adjustment, by kind of `Reason`.

    Batch norms are named by module path, layers and biases by tensor.
    """
    recipe = artifact.recipe
    finders: dict[str, tuple[bool, Finder]] = {
        "norms-stay": (recipe.folds, _unfolded),
        "uneven": (recipe.equalizes, _not_equalized),
        "none-even": (recipe.equalizes, _nothing_to_equalize),
        "norms-as-they-were": (recipe.recalibrates, _not_recalibrated),
        "biases-as-they-were": (recipe.corrects, _not_corrected),
    }
    requested = {kind: find for kind, (wanted, find) in finders.items() if wanted}
    if not requested:
        return {}
    prepared, shaped = starting_network(model, recipe), model.with_spec(artifact.spec)
    return {kind: find(shaped, prepared, artifact) for kind, find in requested.items()}


def _unfolded(shaped: Model, prepared: PreparedNetwork, artifact: Artifact) -> tuple[str, ...]:
    return tuple(tracking_norms(shell(shaped).module))


def _not_equalized(shaped: Model, prepared: PreparedNetwork, artifact: Artifact) -> tuple[str, ...]:
    return prepared.not_equalized


def _nothing_to_equalize(
    shaped: Model, prepared: PreparedNetwork, artifact: Artifact
) -> tuple[str, ...]:
    """Return a single empty name if there were no layers to equalize."""
    return () if prepared.equalized or prepared.not_equalized else ("",)


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
    before = shaped.with_spec(prepared.form)
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
