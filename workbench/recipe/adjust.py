"""Adjustments: recover accuracy on calibration examples, without training."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, Settings, choice

NORMS = (
    Choice(
        "keep", N_("unchanged"), N_("Batch norm keeps the means and variances of the original.")
    ),
    Choice(
        "recalibrate",
        N_("recalibrated"),
        N_("Means and variances are measured again on calibration examples, after compression."),
        "Li et al. 2020, EagleEye, arXiv 2007.02491",
    ),
    Choice(
        "fold",
        N_("folded"),
        N_("Batch norm is folded into the weights and bias of the layer before it."),
        "Jacob et al. 2017, arXiv 1712.05877",
    ),
)

BIASES = (
    Choice("keep", N_("unchanged"), N_("Biases do not change.")),
    Choice(
        "correct",
        N_("corrected"),
        N_("Each bias compensates for the mean error that compression causes in its output."),
        "Nagel et al. 2019, arXiv 1906.04721",
    ),
)

EQUALIZATION = (
    Choice("never", N_("unchanged"), N_("The ranges of weights do not change.")),
    Choice(
        "pairs",
        N_("equalized"),
        N_(
            "Channels are rescaled so that the weights of consecutive layers have similar ranges; "
            "the outputs of the network do not change."
        ),
        "Nagel et al. 2019, arXiv 1906.04721",
    ),
)


@dataclass(frozen=True)
class Adjust(Settings):
    """Prepare a network for compression, or correct it afterwards, without training.

    Folding and equalization come before pruning and quantization, and change no output. Batch norm
    recalibration and then bias correction come last, on the decoded weights.

    Attributes
    ----------
    batch_norm : str
        How batch norm is adjusted to the compressed weights.
    biases : str
        Whether biases compensate for the mean error of each output (Nagel et al. 2019,
        arXiv 1906.04721).
    equalize : str
        Whether channel ranges are equalized across layers before quantization (the same paper).
    """

    batch_norm: str = choice(
        "recalibrate",
        NORMS,
        N_("batch norm"),
        N_("How batch norm is adjusted to the compressed weights."),
    )
    biases: str = choice(
        "keep",
        BIASES,
        N_("biases"),
        N_("Whether biases compensate for the mean error of each output."),
    )
    equalize: str = choice(
        "never",
        EQUALIZATION,
        N_("ranges across layers"),
        N_("Whether channel ranges are equalized across layers before quantization."),
    )
