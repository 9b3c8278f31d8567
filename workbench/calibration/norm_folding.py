"""Which batch norms are folded: proved on the model itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from workbench.artifact.module_spec import Form
from workbench.calibration.examples import FAILS, calibration_inputs
from workbench.calibration.verify import Reference, largest
from workbench.compression.fold_norms import Fold, fold
from workbench.compression.stats import Evidence
from workbench.domain import Model
from workbench.errors import in_words
from workbench.graph.foldable_norms import folds, has_norms
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
    if not has_norms(model):
        return ()
    few = Batch.of(calibration_inputs(model, FEW))
    with in_words(FAILS):
        candidates = folds(model, weights, few)
    if not candidates:
        return ()
    reference = Reference(model, weights, [one.norm for one in candidates])

    def holds(some: tuple[Fold, ...]) -> bool:
        folded, _ = fold(weights, some, Evidence())
        shaped = model.in_form(with_folds(model.form, some))
        return reference.holds(shaped, folded, [one.norm for one in some])

    return largest(candidates, holds)


def with_folds(form: Form, some: Sequence[Fold]) -> Form:
    """Return `form` with the batch norms of `some` folded."""
    return replace(form, folded=tuple((one.norm, one.layer) for one in some))
