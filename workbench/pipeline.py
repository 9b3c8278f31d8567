"""The steps of compression, in order: from a model and a recipe to an artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.artifact.artifact import Artifact
from workbench.calibration.adjust import adjust
from workbench.calibration.statistics import calibration_stats
from workbench.calibration.structure import PreparedNetwork, change_structure
from workbench.compression.encode import NamedTensors, factorize, prune, share_or_quantize
from workbench.domain import Model
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.artifact.module_spec import InputQParams
    from workbench.compression.qparams import QParams


@dataclass(frozen=True)
class TrainedNetwork:
    """A network after training, and what training has already chosen, by tensor or layer name.

    Attributes
    ----------
    network : PreparedNetwork
        The network before training.
    weights : mapping
        All tensors after training.
    masks : mapping or None
        Pruning masks; None if the pruning step computes them.
    qparams, input_qparams : mapping
        Quantization parameters of weights and of layer inputs.
    """

    network: PreparedNetwork
    weights: Mapping[str, Tensor]
    masks: Mapping[str, Tensor] | None = None
    qparams: Mapping[str, list[QParams]] = field(default_factory=dict)
    input_qparams: Mapping[str, InputQParams] = field(default_factory=dict)


def run_pipeline(model: Model, recipe: Recipe, trained: TrainedNetwork | None = None) -> Artifact:
    """Return `model` compressed as `recipe` says.

    Training can take hours, and it is resumed and cached, so it is not run here: `trained` is its
    result, for the network that the first two steps return.

    Raises
    ------
    RecipeError
        If the recipe does not fit the model.
    """
    if trained is None:
        recipe.check_names(model.layers, model.other_tensors)
        stats = calibration_stats(model, recipe)
        network = change_structure(model, recipe, stats)  # remove channels, fold norms, equalize
        trained = TrainedNetwork(network, network.weights)
    network = trained.network
    roles = model.with_spec(network.spec).roles
    tensors = NamedTensors.of(trained.weights, network.stats, roles)
    pruned = prune(tensors, recipe, trained.masks)
    factors = factorize(pruned, recipe)
    coded = share_or_quantize(pruned, factors, recipe, trained.qparams)
    adjusted, spec = adjust(model, recipe, network, coded, trained.input_qparams)
    return Artifact.of(
        model.name,
        recipe,
        adjusted,
        spec,
        preprocessing=model.preprocessing,
        unstored=model.architecture.unstored,
    )
