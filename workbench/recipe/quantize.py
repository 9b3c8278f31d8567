"""Quantisation: how many bits a weight gets, and how values map to codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.layermap import LayerMap
from workbench.recipe.schema import Choice, check_fields, spec

BITS = tuple(Choice(bits, str(bits)) for bits in (2, 3, 4, 5, 6, 7, 8, 16, 32))

FORMATS = (
    Choice("bf16", "bf16", N_("16 bits with the range of float32 and 8 bits of precision.")),
    Choice("fp16", "fp16", N_("16 bits with 11 bits of precision and values up to 65,504.")),
)

SCHEMES = (
    Choice("symmetric", N_("symmetric"), N_("Zero is the middle code; the range is ± one bound.")),
    Choice("affine", N_("affine"), N_("A zero point lets the range be lopsided.")),
)

GRANULARITIES = (
    Choice("tensor", N_("per tensor"), N_("One scale for a whole layer.")),
    Choice("channel", N_("per channel"), N_("One scale for each output channel.")),
    Choice("group", N_("per group"), N_("One scale for each run of weights in a channel.")),
)

RANGES = (
    Choice("minmax", N_("min–max"), N_("The range covers every value.")),
    Choice("percentile", N_("percentile"), N_("The range leaves out the most extreme values.")),
    Choice("mse", N_("least squared error"), N_("The range with the least squared error.")),
)


ROUNDINGS = (
    Choice("nearest", N_("nearest"), N_("Each weight takes the nearest value.")),
    Choice(
        "compensated",
        N_("compensated"),
        N_(
            "Weight by weight, those still to come make good what rounding changed in a layer's "
            "outputs on calibration examples."
        ),
        "Frantar et al. 2022, GPTQ, arXiv 2210.17323",
    ),
)

COMPENSATED = frozenset({"compensated"})
"""The roundings that need the layers' inputs on calibration data."""


@dataclass(frozen=True)
class Quantize:
    """Store weights in few bits.

    `bits` from 2 to 8 are integer codes with a scale (Krishnamoorthi 2018, arXiv 1806.08342);
    16 is a float `format`; 32 leaves values alone. `layers` gives single tensors their own
    bits; `exclude` leaves tensors in float32. `group_size` counts values along a flattened
    channel; `percentile` is the share of values, in percent, that the percentile range covers.
    """

    bits: int = spec(8, "choice", N_("bits"), N_("Bits for each weight."), choices=BITS)
    format: str = spec(
        "bf16", "choice", N_("16-bit format"), N_("The float format at 16 bits."), choices=FORMATS
    )
    scheme: str = spec(
        "symmetric",
        "choice",
        N_("scheme"),
        N_("Whether codes are centred on zero."),
        choices=SCHEMES,
    )
    granularity: str = spec(
        "channel",
        "choice",
        N_("granularity"),
        N_("How many weights share one scale."),
        choices=GRANULARITIES,
    )
    group_size: int = spec(
        64,
        "integer",
        N_("group size"),
        N_("Weights that share a scale when the granularity is per group."),
        low=8,
        high=1024,
        step=8,
    )
    range: str = spec(
        "minmax",
        "choice",
        N_("range"),
        N_("How the largest code's value is chosen."),
        choices=RANGES,
    )
    percentile: float = spec(
        99.9,
        "real",
        N_("percentile"),
        N_("The percentage of values inside the percentile range."),
        low=90.0,
        high=100.0,
        step=0.1,
    )
    rounding: str = spec(
        "nearest",
        "choice",
        N_("rounding of weights"),
        N_("Whether other weights make good for what rounding changes."),
        choices=ROUNDINGS,
    )
    layers: Mapping[str, float] = spec(
        LayerMap(),
        "layers",
        N_("bits by layer"),
        N_("Layers with bits of their own."),
        choices=BITS,
    )
    exclude: tuple[str, ...] = spec(
        (), "names", N_("leave in float32"), N_("Layers that are not quantised.")
    )

    def __post_init__(self) -> None:
        check_fields(self, "quantize")
