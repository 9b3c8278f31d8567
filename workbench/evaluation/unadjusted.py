"""Which places an adjustment has left as they were: found on the file and on its network."""

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


def unadjusted(model: Model, artifact: Artifact) -> dict[str, tuple[str, ...]]:
    """Return the names of the places, by the kind of reason, of each adjustment asked for.

    Batch norm goes by its path in the module, layers and biases by the name of their tensor.
    """
    recipe = artifact.recipe
    asked: dict[str, tuple[bool, Callable[[Model, PreparedNetwork, Artifact], tuple[str, ...]]]] = {
        "norms-stay": (recipe.folds, _norms),
        "uneven": (recipe.equalizes, _uneven),
        "none-even": (recipe.equalizes, _none_even),
        "norms-as-they-were": (recipe.recalibrates, _same_norms),
        "biases-as-they-were": (recipe.corrects, _same_biases),
    }
    chosen = {kind: names for kind, (wanted, names) in asked.items() if wanted}
    if not chosen:
        return {}
    ready, shaped = starting_network(model, recipe), model.with_spec(artifact.spec)
    return {kind: names(shaped, ready, artifact) for kind, names in chosen.items()}


def _norms(shaped: Model, prepared: PreparedNetwork, artifact: Artifact) -> tuple[str, ...]:
    return tuple(tracking_norms(shell(shaped).module))


def _uneven(shaped: Model, prepared: PreparedNetwork, artifact: Artifact) -> tuple[str, ...]:
    return prepared.not_equalized


def _none_even(shaped: Model, prepared: PreparedNetwork, artifact: Artifact) -> tuple[str, ...]:
    """Return one place without a name where there were no layers to even out."""
    return () if prepared.equalized or prepared.not_equalized else ("",)


def _same_norms(shaped: Model, prepared: PreparedNetwork, artifact: Artifact) -> tuple[str, ...]:
    """Return the norms whose statistics are those from before, bit by bit."""
    return tuple(
        path
        for path in tracking_norms(shell(shaped).module)
        if all(_same(f"{path}.{name}", prepared, artifact) for name in STATISTICS)
    )


def _same_biases(shaped: Model, prepared: PreparedNetwork, artifact: Artifact) -> tuple[str, ...]:
    """Return the biases of layers that could not be corrected, or not with finite numbers."""
    layers = shell(shaped).module.named_modules()
    names = [f"{p}.bias".removeprefix(".") for p, one in layers if isinstance(one, FOLD_TARGETS)]
    before = shaped.with_spec(prepared.spec)
    able = target_means(before, prepared)
    if any(
        _same(n, prepared, artifact) and not _same(_weight(n), prepared, artifact) for n in able
    ):
        able = mean_outputs(before, artifact.weights())  # without those that are not finite
    return tuple(name for name in names if name in artifact.tensors and name not in able)


def _weight(bias: str) -> str:
    return f"{bias.removesuffix('bias')}weight"


def _same(name: str, prepared: PreparedNetwork, artifact: Artifact) -> bool:
    """Whether the file has a tensor of that name, and as it was before."""
    if name not in artifact.tensors:
        return False
    return torch.equal(artifact.tensors[name].tensor(), prepared.weights[name])
