"""Weight quantization: the bits of a weight, and how values map to codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, Settings, choice, integer, layer_map, name_list, real

BITS = tuple(Choice(bits, str(bits)) for bits in (2, 3, 4, 5, 6, 7, 8, 16, 32))

FORMATS = (
    Choice("bf16", "bf16", N_("16 bits with the range of float32 and 8 bits of precision.")),
    Choice("fp16", "fp16", N_("16 bits with 11 bits of precision and values up to 65,504.")),
)

SCHEMES = (
    Choice("symmetric", N_("symmetric"), N_("Zero is the middle code; the range is symmetric.")),
    Choice("affine", N_("affine"), N_("A zero point allows an asymmetric range.")),
)

GRANULARITIES = (
    Choice("tensor", N_("per tensor"), N_("One scale for the layer.")),
    Choice("channel", N_("per channel"), N_("One scale for each output channel.")),
    Choice("group", N_("per group"), N_("One scale for each run of weights in a channel.")),
)

RANGES = (
    Choice("minmax", N_("min–max"), N_("The range covers every value.")),
    Choice("percentile", N_("percentile"), N_("The range excludes the most extreme values.")),
    Choice("mse", N_("least squared error"), N_("The range with the least squared error.")),
)

ROUNDINGS = (
    Choice("nearest", N_("nearest"), N_("Each weight is rounded to the nearest value.")),
    Choice(
        "compensated",
        N_("compensated"),
        N_(
            "Later weights are adjusted to compensate for rounding errors in a layer's outputs on "
            "calibration examples."
        ),
        "Frantar et al. 2022, GPTQ, arXiv 2210.17323",
        alias="gptq",
    ),
)

COMPENSATED = frozenset({"compensated"})
"""The roundings that need input covariances."""


@dataclass(frozen=True)
class Quantize(Settings):
    """Store weights with few bits.

    Attributes
    ----------
    bits : int
        2 to 8: integer codes with a scale (Krishnamoorthi 2018, arXiv 1806.08342). 16: a float
        format. 32: unchanged.
    format : str
        The float format at 16 bits.
    scheme : str
        Whether ranges are symmetric around zero.
    granularity, group_size : str, int
        Which weights share a scale; a group is a run of values in a flattened channel.
    range, percentile : str, float
        How the range is chosen; the percentage of values inside the percentile range.
    rounding : str
        Whether later weights compensate for rounding errors.
    layers : mapping of str to int
        The bits of single tensors.
    exclude : tuple of str
        Tensors that stay in float32.

    Examples
    --------
    >>> import workbench as wb
    >>> model = wb.model("fashion/mlp-32")
    >>> eight, four = (len(wb.compress(model, wb.Recipe(wb.Quantize(bits)))) for bits in (8, 4))
    >>> four < eight < model.original_bytes / 3
    True
    """

    bits: int = choice(8, BITS, N_("bits"), N_("Bits for each weight."))
    format: str = choice("bf16", FORMATS, N_("16-bit format"), N_("The float format at 16 bits."))
    scheme: str = choice(
        "symmetric", SCHEMES, N_("scheme"), N_("Whether codes are centered on zero.")
    )
    granularity: str = choice(
        "channel", GRANULARITIES, N_("granularity"), N_("Which weights share one scale.")
    )
    group_size: int = integer(
        64,
        (8, 1024, 8),
        N_("group size"),
        N_("Weights that share a scale when the granularity is per group."),
    )
    range: str = choice("minmax", RANGES, N_("range"), N_("How the range of values is chosen."))
    percentile: float = real(
        99.9,
        (90.0, 100.0, 0.1),
        N_("percentile"),
        N_("The percentage of values inside the percentile range."),
    )
    rounding: str = choice(
        "nearest",
        ROUNDINGS,
        N_("rounding of weights"),
        N_("Whether other weights compensate for rounding errors."),
    )
    layers: Mapping[str, float] = layer_map(
        BITS, N_("bits by layer"), N_("Layers with their own number of bits.")
    )
    exclude: tuple[str, ...] = name_list(
        N_("keep in float32"), N_("Layers that are not quantized.")
    )
