"""Find the batch norms that can be folded, verified numerically on the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from workbench.artifact.module_spec import ModuleSpec
from workbench.calibration.examples import FAILS, calibration_inputs
from workbench.calibration.verify import ReferenceOutputs, largest_valid_subset
from workbench.compression.fold_norms import Fold, fold
from workbench.compression.stats import CalibrationStats
from workbench.domain import Model
from workbench.errors import user_errors
from workbench.graph.foldable_norms import foldable_norms, has_foldable_norms
from workbench.runtime.batch import Batch

TRACED_EXAMPLES = 2
"""Examples that are traced through the network."""


def foldable(model: Model, weights: Mapping[str, Tensor]) -> tuple[Fold, ...]:
    """Return the folds that leave the outputs of `model` with `weights` unchanged.

    Raises
    ------
    InputError
        If a user's module fails on the calibration examples.
    """
    if not has_foldable_norms(model):
        return ()
    inputs = Batch.of(calibration_inputs(model, TRACED_EXAMPLES))
    with user_errors(FAILS):
        candidates = foldable_norms(model, weights, inputs)
    if not candidates:
        return ()
    reference = ReferenceOutputs(model, weights, [candidate.norm for candidate in candidates])

    def is_valid(folds: tuple[Fold, ...]) -> bool:
        folded, _ = fold(weights, folds, CalibrationStats())
        shaped = model.with_spec(with_folds(model.spec, folds))
        return reference.matches(shaped, folded, [fold.norm for fold in folds])

    return largest_valid_subset(candidates, is_valid)


def with_folds(spec: ModuleSpec, folds: Sequence[Fold]) -> ModuleSpec:
    """Return `spec` with the batch norms of `folds` folded."""
    return replace(spec, folded=tuple((fold.norm, fold.layer) for fold in folds))
