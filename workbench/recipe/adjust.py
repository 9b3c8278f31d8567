"""Adjustments: what makes compression cost less without training a weight."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, check_fields, spec

NORMS = (
    Choice("keep", N_("as is"), N_("Batch norm keeps the original's means and variances.")),
    Choice(
        "recalibrate",
        N_("anew"),
        N_("Its means and variances are measured anew on calibration examples, after compression."),
        "Li et al. 2020, EagleEye, arXiv 2007.02491",
    ),
    Choice(
        "fold",
        N_("folded"),
        N_("It becomes part of the layer before it, which then has a bias."),
        "Jacob et al. 2017, arXiv 1712.05877",
    ),
)

BIASES = (
    Choice("keep", N_("as they were"), N_("Biases stay as they were.")),
    Choice(
        "correct",
        N_("corrected"),
        N_("Biases take up the mean error that compression brings to each output."),
        "Nagel et al. 2019, arXiv 1906.04721",
    ),
)

EQUALIZATION = (
    Choice("never", N_("as they are"), N_("Layers keep the sizes of their weights.")),
    Choice(
        "pairs",
        N_("evened out"),
        N_(
            "Channels are scaled so that one layer's weights and the next one's span like ranges; "
            "the network computes the same."
        ),
        "Nagel et al. 2019, arXiv 1906.04721",
    ),
)


@dataclass(frozen=True)
class Adjust:
    """Repair a compressed network from calibration examples, or ready it to be compressed.

    Folding and evening out come before anything is pruned or quantised and change no output;
    measuring batch norm anew, then correcting biases, come after, on the decoded weights.
    """

    batch_norm: str = spec(
        "recalibrate",
        "choice",
        N_("batch norm"),
        N_("What becomes of batch norm's means and variances, which no longer fit."),
        choices=NORMS,
    )
    biases: str = spec(
        "keep",
        "choice",
        N_("biases"),
        N_("Whether biases make good for a mean error."),
        choices=BIASES,
    )
    equalize: str = spec(
        "never",
        "choice",
        N_("ranges across layers"),
        N_("Whether channels are rescaled from layer to layer before they are quantised."),
        choices=EQUALIZATION,
    )

    def __post_init__(self) -> None:
        check_fields(self, "adjust")
