"""Weight sharing: all weights of a layer take one of a few values, listed in a codebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.layermap import LayerMap
from workbench.recipe.schema import Choice, check_fields, spec

CLUSTERS = (
    Choice(0, N_("off")),
    *(Choice(count, str(count)) for count in (2, 4, 8, 16, 32, 64, 128, 256)),
)

METHODS = (
    Choice(
        "k-means",
        N_("k-means"),
        N_("The shared values are those with the least squared error."),
        "Han et al. 2015, arXiv 1510.00149",
    ),
    Choice(
        "ternary",
        N_("ternary"),
        N_("Three values: zero, and one number with either sign. The number of values is set."),
        "Li & Liu 2016, arXiv 1605.04711",
    ),
    Choice(
        "binary",
        N_("binary"),
        N_("One number with either sign. The number of values is set."),
        "Rastegari et al. 2016, arXiv 1603.05279",
    ),
)

STARTS = (
    Choice("linear", N_("linear"), N_("Starts evenly from the least to the largest weight.")),
    Choice("density", N_("density"), N_("Starts with as many weights between as many values.")),
    Choice("random", N_("random"), N_("Starts from weights drawn by lot.")),
)

CODEBOOKS = (
    Choice("tensor", N_("per tensor"), N_("One codebook for a whole layer.")),
    Choice("channel", N_("per channel"), N_("One codebook for each output channel.")),
)


@dataclass(frozen=True)
class Share:
    """Store each weight as the number of a shared value.

    `clusters` values beside zero, which keeps a value of its own where pruning left any; 0 leaves
    weights alone. Tensors that share values are not quantised.
    """

    clusters: int = spec(
        16,
        "choice",
        N_("shared values"),
        N_("How many different values the weights of a layer may have, beside zero."),
        choices=CLUSTERS,
    )
    method: str = spec(
        "k-means",
        "choice",
        N_("sharing"),
        N_("How the shared values are found."),
        choices=METHODS,
    )
    start: str = spec(
        "linear",
        "choice",
        N_("start of k-means"),
        N_("Where the search for the shared values begins."),
        choices=STARTS,
    )
    granularity: str = spec(
        "tensor",
        "choice",
        N_("codebooks"),
        N_("How many weights share one codebook."),
        choices=CODEBOOKS,
    )
    layers: Mapping[str, float] = spec(
        LayerMap(),
        "layers",
        N_("shared values by layer"),
        N_("Layers with a number of shared values of their own."),
        choices=CLUSTERS,
    )
    exclude: tuple[str, ...] = spec(
        (), "names", N_("leave unshared"), N_("Layers whose weights stay as they are.")
    )
    seed: int = spec(
        0,
        "integer",
        N_("seed of k-means"),
        N_("The lot drawn by the random start."),
        low=0,
        high=2**31 - 1,
        step=1,
    )

    def __post_init__(self) -> None:
        check_fields(self, "share")
