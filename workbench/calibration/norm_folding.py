"""Which batch norms are folded: proved on the model itself."""

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

FEW = 2
"""Examples that are followed through the network."""


def foldable(model: Model, weights: Mapping[str, Tensor]) -> tuple[Fold, ...]:
    """Return the folds after which `model` with `weights` puts out what it did.

    Raises
    ------
    WorkbenchError
        When a user module fails on the calibration examples.
    """
    if not has_foldable_norms(model):
        return ()
    few = Batch.of(calibration_inputs(model, FEW))
    with user_errors(FAILS):
        candidates = foldable_norms(model, weights, few)
    if not candidates:
        return ()
    reference = ReferenceOutputs(model, weights, [one.norm for one in candidates])

    def holds(some: tuple[Fold, ...]) -> bool:
        folded, _ = fold(weights, some, CalibrationStats())
        shaped = model.with_spec(with_folds(model.spec, some))
        return reference.holds(shaped, folded, [one.norm for one in some])

    return largest_valid_subset(candidates, holds)


def with_folds(form: ModuleSpec, some: Sequence[Fold]) -> ModuleSpec:
    """Return `form` with the batch norms of `some` folded."""
    return replace(form, folded=tuple((one.norm, one.layer) for one in some))
