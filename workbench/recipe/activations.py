"""Activation quantization: the bits of a layer's inputs."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, Settings, choice, name_list, real

BITS = tuple(Choice(bits, str(bits)) for bits in (2, 3, 4, 5, 6, 7, 8, 32))

OBSERVERS = (
    Choice(
        "minmax",
        N_("min–max"),
        N_("The range covers all inputs on calibration examples."),
        "Jacob et al. 2017, arXiv 1712.05877",
    ),
    Choice(
        "percentile",
        N_("percentile"),
        N_("The range excludes the most extreme inputs."),
        "Wu et al. 2020, arXiv 2004.09602",
    ),
    Choice(
        "histogram",
        N_("histogram"),
        N_("The range with the least squared error over a histogram of the inputs."),
        "Banner et al. 2018, arXiv 1810.05723",
    ),
)

SCHEMES = (
    Choice(
        "affine",
        N_("affine"),
        N_("The zero point fits the range, so that all codes are used."),
        "Jacob et al. 2017, arXiv 1712.05877",
    ),
    Choice(
        "symmetric",
        N_("symmetric"),
        N_("The zero point is the middle code: TensorRT accepts no other."),
        "Wu et al. 2020, arXiv 2004.09602",
    ),
)

BIASES = (
    Choice("float32", "float32", N_("Biases keep their values.")),
    Choice(
        "int32",
        "int32",
        N_(
            "Each bias is a whole multiple of the input scale times the row scale: ONNX Runtime, "
            "XNNPACK and LiteRT add it to sums of integers."
        ),
        "Jacob et al. 2017, arXiv 1712.05877",
    ),
)

SUMS = (
    Choice("float32", "float32", N_("Outputs that are added to others keep their values.")),
    Choice(
        "quantized",
        N_("quantized"),
        N_(
            "Outputs of convolutions that are added to others are quantized: ONNX Runtime then "
            "computes them in integers."
        ),
        "Jacob et al. 2017, arXiv 1712.05877",
    ),
)


@dataclass(frozen=True)
class Activations(Settings):
    """Quantize the inputs of linear layers and convolutions, so that they compute with integers.

    Attributes
    ----------
    bits : int
        Bits of an input; 32 does not quantize.
    observer : str
        How the range is chosen on calibration examples. A layer's inputs share one scale and zero
        point.
    percentile : float
        The percentage of inputs inside the range of the percentile observer.
    exclude : tuple of str
        Layers, named by their weights, whose inputs stay in float32.
    scheme : str
        Whether the zero point fits the range or is the middle code.
    biases : str
        Whether biases of layers whose weights have one scale per row are whole numbers of steps.
    sums : str
        Whether outputs of convolutions that are added to other outputs are quantized as well.
    """

    bits: int = choice(8, BITS, N_("activation bits"), N_("Bits for each input of a layer."))
    observer: str = choice(
        "minmax", OBSERVERS, N_("observer"), N_("How the range of a layer's inputs is chosen.")
    )
    percentile: float = real(
        99.9,
        (90.0, 100.0, 0.1),
        N_("activation percentile"),
        N_("The percentage of inputs inside the percentile range."),
    )
    exclude: tuple[str, ...] = name_list(
        N_("inputs in float32"), N_("Layers whose inputs are not quantized.")
    )
    scheme: str = choice(
        "affine", SCHEMES, N_("activation scheme"), N_("Where the zero of the inputs' codes is.")
    )
    biases: str = choice(
        "float32",
        BIASES,
        N_("precision of biases"),
        N_("How the biases of such layers are stored."),
    )
    sums: str = choice(
        "float32", SUMS, N_("residual sums"), N_("Whether the operands of sums are quantized.")
    )
