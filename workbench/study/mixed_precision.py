"""Mixed precision: the best bits for each layer under a total size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model
from workbench.recipe import Quantize, Recipe
from workbench.study.result import StudyResult
from workbench.study.run import run_study
from workbench.study.space import Space
from workbench.study.study import Study
from workbench.validation import expect_model

BITS = (2, 3, 4, 5, 6, 8)
RECIPES = 40


def mixed_precision(
    model: Model,
    max_bytes: int,
    *,
    bits: Sequence[int] = BITS,
    base: Quantize | None = None,
    recipes: int = RECIPES,
    log: Path | str | None = None,
    on_update: Callable[[StudyResult], None] = lambda result: None,
    cancel: CancelToken = NEVER,
) -> StudyResult:
    """Search bits for each layer so that the file has at most `max_bytes`.

    The loss of each layer alone is measured for each number of bits; a knapsack over them gives the
    first recipes, and changes of the best are measured.

    Parameters
    ----------
    model, max_bytes
        The model, and the largest file.
    bits
        The numbers of bits that a layer may have.
    base
        The other fields of quantization; by default, ranges with the least squared error and
        compensated rounding (Frantar et al. 2022, GPTQ, arXiv 2210.17323).
    recipes
        How many recipes are measured.
    log, on_update, cancel
        As for `run_study`.

    Returns
    -------
    StudyResult
        Its `front` ends with the best recipe.

    Raises
    ------
    InputError, RecipeError
        If an argument is not possible.
    Cancelled
        If `cancel` is cancelled.
    """
    base = Quantize(range="mse", rounding="compensated") if base is None else base
    axes = {f"quantize.layers.{name}": tuple(bits) for name in expect_model(model).layers}
    study = Study.of(
        model, Space(axes, Recipe(base)), sampler="by_layer", recipes=recipes, max_bytes=max_bytes
    )
    return run_study(model, study, log=log, on_update=on_update, cancel=cancel)
