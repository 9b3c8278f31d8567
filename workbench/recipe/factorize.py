"""Low rank: a layer's weights as the product of two thinner matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.layermap import LayerMap
from workbench.recipe.schema import Choice, check_fields, spec

MEASURES = (
    Choice(
        "energy",
        N_("energy"),
        N_(
            "Of what the factors fit, weights or outputs, the squares keep that share of their sum."
        ),
    ),
    Choice(
        "bytes",
        N_("bytes"),
        N_("The two factors together take that share of the layer's numbers."),
    ),
    Choice("rank", N_("rank"), N_("The rank is that share of the largest there is.")),
    Choice("number", N_("number"), N_("The rank is the number set below, in every layer.")),
)

AIMS = (
    Choice(
        "weights",
        N_("weights"),
        N_("The factors come as near to the weights as they can, by singular values."),
        "Eckart & Young 1936",
    ),
    Choice(
        "outputs",
        N_("outputs"),
        N_("They come as near to the layer's outputs on calibration examples as they can."),
        "Wang et al. 2024, SVD-LLM, arXiv 2403.07378",
    ),
)

OUTPUT_AIMS = frozenset({"outputs"})
"""The aims that need the layers' inputs on calibration data."""

KEPT = {"low": 0.01, "high": 1.0, "step": 0.01}


@dataclass(frozen=True)
class Factorize:
    """Store W [m, n] as U V with U [m, r] and V [r, n], where that takes fewer numbers.

    `kept` is measured as `measure` says, or plays no part where that is ``number``: the rank is
    then `rank`; a `kept` of 1 leaves a layer whole. A convolution counts as the
    matrix of its outputs and everything else. Above the break-even rank, m·n / (m + n), the two
    factors are no smaller, and the layer stays as it is.
    """

    kept: float = spec(
        0.95, "real", N_("kept"), N_("How much of a layer its two factors keep."), **KEPT
    )
    measure: str = spec(
        "energy",
        "choice",
        N_("measured by"),
        N_("What the share that is kept is a share of."),
        choices=MEASURES,
    )
    aim: str = spec(
        "weights",
        "choice",
        N_("factors fit"),
        N_("What the factors come near to."),
        choices=AIMS,
    )
    layers: Mapping[str, float] = spec(
        LayerMap(), "layers", N_("kept by layer"), N_("Layers with a share of their own."), **KEPT
    )
    exclude: tuple[str, ...] = spec(
        (), "names", N_("leave unfactored"), N_("Layers that stay one matrix.")
    )
    rank: int = spec(
        16,
        "integer",
        N_("rank"),
        N_("The rank of every layer whose share is less than whole, measured by number."),
        low=1,
        high=4096,
        step=1,
    )

    def __post_init__(self) -> None:
        check_fields(self, "factorize")

    def kept_fraction(self, name: str) -> float:
        """Return the share that is kept of the tensor called `name`: 1 leaves it whole."""
        return 1.0 if name in self.exclude else float(self.layers.get(name, self.kept))
