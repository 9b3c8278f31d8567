"""Weight sharing: all weights of a layer take one of a few values, stored in a codebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, Settings, choice, integer, layer_map, name_list

CLUSTERS = (
    Choice(0, N_("off")),
    *(Choice(count, str(count)) for count in (2, 4, 8, 16, 32, 64, 128, 256)),
)

METHODS = (
    Choice(
        "k_means",
        N_("k-means"),
        N_("The shared values are those with the least squared error."),
        "Han et al. 2015, arXiv 1510.00149",
    ),
    Choice(
        "ternary",
        N_("ternary"),
        N_("Three values: −a, 0 and a. The number of shared values has no effect."),
        "Li & Liu 2016, arXiv 1605.04711",
    ),
    Choice(
        "binary",
        N_("binary"),
        N_("Two values: −a and a. The number of shared values has no effect."),
        "Rastegari et al. 2016, arXiv 1603.05279",
    ),
)

STARTS = (
    Choice(
        "linear",
        N_("linear"),
        N_("Starts with evenly spaced values from the smallest to the largest weight."),
    ),
    Choice(
        "density",
        N_("density"),
        N_("Starts with the same number of weights between any two values."),
    ),
    Choice("random", N_("random"), N_("Starts with random weights.")),
)

CODEBOOKS = (
    Choice("tensor", N_("per tensor"), N_("One codebook for the layer.")),
    Choice("channel", N_("per channel"), N_("One codebook for each output channel.")),
)


@dataclass(frozen=True)
class Share(Settings):
    """Store each weight as an index into a codebook of shared values.

    Zero is an additional value if pruning left any zeros. Tensors that share values are not
    quantized.

    Attributes
    ----------
    clusters : int
        The number of shared values, in addition to zero; 0 does not share.
    method, start, seed : str, str, int
        How the values are chosen, and the initialization and seed of k-means.
    granularity : str
        Whether a codebook belongs to a tensor or to a channel.
    layers : mapping of str to int
        The number of shared values of single tensors.
    exclude : tuple of str
        Tensors that do not share values.
    """

    clusters: int = choice(
        16,
        CLUSTERS,
        N_("shared values"),
        N_("How many different values the weights of a layer can have, in addition to zero."),
    )
    method: str = choice("k_means", METHODS, N_("sharing"), N_("How the shared values are chosen."))
    start: str = choice("linear", STARTS, N_("start of k-means"), N_("How k-means is initialized."))
    granularity: str = choice(
        "tensor", CODEBOOKS, N_("codebooks"), N_("Which weights share one codebook.")
    )
    layers: Mapping[str, float] = layer_map(
        CLUSTERS, N_("shared values by layer"), N_("Layers with their own number of shared values.")
    )
    exclude: tuple[str, ...] = name_list(
        N_("do not share"), N_("Layers whose weights do not share values.")
    )
    seed: int = integer(
        0, (0, 2**31 - 1), N_("seed of k-means"), N_("Seed of the random initialization.")
    )
