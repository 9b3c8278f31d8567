"""Low-rank factorization: a layer's weights as the product of two thinner matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, Settings, choice, integer, layer_map, name_list, real

MEASURES = (
    Choice(
        "energy",
        N_("sum of squares"),
        N_("The factors keep that fraction of the sum of squares of the weights or outputs."),
    ),
    Choice(
        "bytes",
        N_("bytes"),
        N_("The two factors have that fraction of the layer's number of weights."),
    ),
    Choice("rank", N_("rank"), N_("The rank is that fraction of the full rank.")),
    Choice("number", N_("number"), N_("Every layer has the rank set below.")),
)

AIMS = (
    Choice(
        "weights",
        N_("weights"),
        N_("The factors have the least squared error of the weights (truncated SVD)."),
        "Eckart & Young 1936",
    ),
    Choice(
        "outputs",
        N_("outputs"),
        N_("The factors have the least squared error of the outputs on calibration examples."),
        "Wang et al. 2024, SVD-LLM, arXiv 2403.07378",
    ),
)

OUTPUT_AIMS = frozenset({"outputs"})
"""The aims that need input covariances."""

FRACTION = (0.01, 1.0, 0.01)


@dataclass(frozen=True)
class Factorize(Settings):
    """Store W [m, n] as U V, with U [m, r] and V [r, n], if that has fewer entries.

    A convolution is a matrix of its outputs by everything else. Above the break-even rank,
    m·n / (m + n), the factors are not smaller, and the layer is not factorized.

    Attributes
    ----------
    keep : float
        The fraction to keep, in terms of `measure`; 1 does not factorize.
    measure : str
        What `keep` is a fraction of. With ``number``, the rank is `rank` if `keep` is below 1.
    aim : str
        Whether the factors fit the weights or the layer's outputs.
    layers : mapping of str to float
        The fraction to keep of single layers.
    exclude : tuple of str
        Layers that are not factorized.
    rank : int
        The rank of every factorized layer when `measure` is ``number``.
    """

    keep: float = real(
        0.95, FRACTION, N_("kept"), N_("The fraction of a layer that its two factors keep.")
    )
    measure: str = choice(
        "energy", MEASURES, N_("measured by"), N_("What the kept fraction refers to.")
    )
    aim: str = choice("weights", AIMS, N_("factors fit"), N_("What the factors approximate."))
    layers: Mapping[str, float] = layer_map(
        FRACTION, N_("kept by layer"), N_("Layers with their own fraction.")
    )
    exclude: tuple[str, ...] = name_list(
        N_("do not factorize"), N_("Layers that are not factorized.")
    )
    rank: int = integer(
        16, (1, 4096), N_("rank"), N_("The rank of every factorized layer, if measured by number.")
    )

    def kept_fraction(self, name: str) -> float:
        """Return the fraction to keep of the tensor `name`; 1 does not factorize it."""
        return 1.0 if name in self.exclude else float(self.layers.get(name, self.keep))
