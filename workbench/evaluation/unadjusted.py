"""Which places an adjustment has left as they were: found on the file and on its network."""

from __future__ import annotations

from collections.abc import Callable

import torch

from workbench.artifact.artifact import Artifact
from workbench.calibration.batch_norm import STATISTICS
from workbench.calibration.bias_correction import mean_outputs
from workbench.calibration.finish import wanted_means
from workbench.calibration.prepare import Prepared
from workbench.domain import Model
from workbench.runtime.batch_norm import measured_norms
from workbench.runtime.build import TAKES_NORMS
from workbench.runtime.shell import shell
from workbench.training.setup import prepared


def left_alone(model: Model, artifact: Artifact) -> dict[str, tuple[str, ...]]:
    """Return the names of the places, by the kind of reason, of each adjustment asked for.

    Batch norm goes by its path in the module, layers and biases by the name of their tensor.
    """
    recipe = artifact.recipe
    asked: dict[str, tuple[bool, Callable[[Model, Prepared, Artifact], tuple[str, ...]]]] = {
        "norms-stay": (recipe.folds, _norms),
        "uneven": (recipe.equalizes, _uneven),
        "none-even": (recipe.equalizes, _none_even),
        "norms-as-they-were": (recipe.recalibrates, _same_norms),
        "biases-as-they-were": (recipe.corrects, _same_biases),
    }
    chosen = {kind: names for kind, (wanted, names) in asked.items() if wanted}
    if not chosen:
        return {}
    ready, shaped = prepared(model, recipe), model.in_form(artifact.form)
    return {kind: names(shaped, ready, artifact) for kind, names in chosen.items()}


def _norms(shaped: Model, ready: Prepared, artifact: Artifact) -> tuple[str, ...]:
    return tuple(measured_norms(shell(shaped).module))


def _uneven(shaped: Model, ready: Prepared, artifact: Artifact) -> tuple[str, ...]:
    return ready.uneven


def _none_even(shaped: Model, ready: Prepared, artifact: Artifact) -> tuple[str, ...]:
    """Return one place without a name where there were no layers to even out."""
    return () if ready.even or ready.uneven else ("",)


def _same_norms(shaped: Model, ready: Prepared, artifact: Artifact) -> tuple[str, ...]:
    """Return the norms whose statistics are those from before, bit by bit."""
    return tuple(
        path
        for path in measured_norms(shell(shaped).module)
        if all(_same(f"{path}.{name}", ready, artifact) for name in STATISTICS)
    )


def _same_biases(shaped: Model, ready: Prepared, artifact: Artifact) -> tuple[str, ...]:
    """Return the biases of layers that could not be corrected, or not with finite numbers."""
    layers = shell(shaped).module.named_modules()
    names = [f"{p}.bias".removeprefix(".") for p, one in layers if isinstance(one, TAKES_NORMS)]
    before = shaped.in_form(ready.form)
    able = wanted_means(before, ready)
    if any(_same(n, ready, artifact) and not _same(_weight(n), ready, artifact) for n in able):
        able = mean_outputs(before, artifact.weights())  # without those that are not finite
    return tuple(name for name in names if name in artifact.tensors and name not in able)


def _weight(bias: str) -> str:
    return f"{bias.removesuffix('bias')}weight"


def _same(name: str, ready: Prepared, artifact: Artifact) -> bool:
    """Whether the file has a tensor of that name, and as it was before."""
    if name not in artifact.tensors:
        return False
    return torch.equal(artifact.tensors[name].tensor(), ready.weights[name])
