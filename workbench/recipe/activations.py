"""Activation quantisation: in how many bits a layer's inputs are computed with."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, check_fields, spec

BITS = tuple(Choice(bits, str(bits)) for bits in (2, 3, 4, 5, 6, 7, 8, 32))

OBSERVERS = (
    Choice(
        "minmax",
        N_("min–max"),
        N_("The range covers every input seen on calibration examples."),
        "Jacob et al. 2017, arXiv 1712.05877",
    ),
    Choice(
        "percentile",
        N_("percentile"),
        N_("The range leaves out the most extreme inputs."),
        "Wu et al. 2020, arXiv 2004.09602",
    ),
    Choice(
        "histogram",
        N_("histogram"),
        N_("The range with the least squared error over a histogram of the inputs."),
        "Banner et al. 2018, arXiv 1810.05723",
    ),
)


@dataclass(frozen=True)
class Activations:
    """Round the inputs of linear layers and convolutions to `bits`, so that integers do the work.

    Each layer's inputs share one scale and zero point, found by `observer` on calibration examples;
    `percentile` is the share of inputs, in percent, that the percentile range covers. 32 leaves
    inputs alone. `exclude` names the weights of layers whose inputs stay in float32.
    """

    bits: int = spec(
        8,
        "choice",
        N_("bits of activations"),
        N_("Bits for each input of a layer."),
        choices=BITS,
    )
    observer: str = spec(
        "minmax",
        "choice",
        N_("observer"),
        N_("How the range of a layer's inputs is found."),
        choices=OBSERVERS,
    )
    percentile: float = spec(
        99.9,
        "real",
        N_("percentile of activations"),
        N_("The percentage of inputs inside the percentile range."),
        low=90.0,
        high=100.0,
        step=0.1,
    )
    exclude: tuple[str, ...] = spec(
        (), "names", N_("inputs in float32"), N_("Layers whose inputs are not rounded.")
    )

    def __post_init__(self) -> None:
        check_fields(self, "activations")
