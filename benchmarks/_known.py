"""Recipes whose results are measured before a benchmark of the page starts."""

from __future__ import annotations

import workbench as wb
from workbench.cache.results import ResultCache

MODEL = "fashion/lenet5"
BITS = 4


def fill(store: ResultCache, steps: int) -> list[float]:
    """Measure the original, and `steps` sparsities at 4 bits; return these sparsities."""
    model = wb.model(MODEL)
    quantize = wb.Quantize(bits=BITS)
    shares = [round(0.01 * step, 2) for step in range(1, steps + 1)]
    recipes = [wb.Recipe(wb.Prune(share), quantize) for share in shares]
    for recipe in (wb.Recipe(), wb.Recipe(quantize=quantize), *recipes):
        wb.measure(model, recipe, timed=False, store=store)
    return shares
