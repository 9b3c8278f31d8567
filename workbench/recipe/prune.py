"""Pruning: which share of the weights becomes zero, and which ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.i18n import mark as N_
from workbench.recipe.layermap import LayerMap
from workbench.recipe.schema import Choice, check_fields, spec

CRITERIA = (
    Choice(
        "magnitude",
        N_("magnitude"),
        N_("Removes the weights with the smallest absolute value."),
        "Han et al. 2015, arXiv 1506.02626",
    ),
    Choice(
        "gradient",
        N_("gradient"),
        N_("Removes the weights whose loss would change least, by weight × gradient."),
        "Molchanov et al. 2016, arXiv 1611.06440",
    ),
    Choice(
        "curvature",
        N_("curvature"),
        N_(
            "Removes the weights that change a layer's outputs least on calibration examples, and "
            "lets the others make good what is lost."
        ),
        "Frantar & Alistarh 2023, SparseGPT, arXiv 2301.00774",
    ),
    Choice(
        "random", N_("random"), N_("Removes weights by lot: the floor any criterion must beat.")
    ),
)

NEEDS_GRADIENTS = frozenset({"gradient"})
"""The criteria that need the loss's gradients on calibration data."""

NEEDS_COVARIANCE = frozenset({"curvature"})
"""The criteria that need the layers' inputs on calibration data, and adjust what is left."""

SCOPES = (
    Choice("global", N_("global"), N_("All layers compete: the weakest weights go, wherever.")),
    Choice(
        "adaptive",
        N_("adaptive"),
        N_("All layers compete by each weight's share of what would be left of its layer (LAMP)."),
        "Lee et al. 2020, arXiv 2010.07611",
    ),
    Choice("uniform", N_("uniform"), N_("Every layer loses the same share of its weights.")),
    Choice("layer", N_("by layer"), N_("Only the layers named lose weights, each its own share.")),
)

PATTERNS = (
    Choice("free", N_("single weights"), N_("Zeros fall wherever they cost least.")),
    Choice(
        "n:m",
        N_("N of M"),
        N_(
            "Every run of M weights along the input keeps the same number of them, all layers "
            "alike: at half sparsity and M = 4 this is 2:4."
        ),
        "Mishra et al. 2021, arXiv 2104.08378",
    ),
    Choice(
        "block",
        N_("blocks"),
        N_("Square blocks of weights are kept or removed as a whole, by their mean score."),
        "Gray et al. 2017",
    ),
)

AUTO = "auto"
"""The scope that suits the criterion, which a recipe then holds by its name."""
DEFAULT_SCOPES = {
    "magnitude": "global",
    "gradient": "global",
    "curvature": "adaptive",
    "random": "global",
}
"""The scope of each criterion unless one is given; benchmarks/criteria.py measures them."""

SPARSITY = {"low": 0.0, "high": 0.99, "step": 0.01}


@dataclass(frozen=True)
class Prune:
    """Set the least important weights to zero.

    `sparsity` is the share of zeros asked for (0 to 0.99) over the tensors in scope. The `scope`
    is that of `DEFAULT_SCOPES` for the criterion unless one is given. `layers`
    gives single tensors their own share, outside the global pool; `exclude` leaves tensors
    whole; `seed` serves the random criterion. With the `pattern` ``n:m`` each run of `width`
    weights keeps the same number, at least one; with ``block`` squares of `width` weights go.
    """

    sparsity: float = spec(
        0.5, "real", N_("sparsity"), N_("The share of weights set to zero."), **SPARSITY
    )
    criterion: str = spec(
        "magnitude",
        "choice",
        N_("criterion"),
        N_("How the weights to remove are chosen."),
        choices=CRITERIA,
    )
    scope: str = spec(
        AUTO,
        "choice",
        N_("scope"),
        N_("Whether layers compete, share alike, or are set one by one."),
        choices=SCOPES,
    )
    pattern: str = spec(
        "free",
        "choice",
        N_("pattern"),
        N_("Whether single weights are removed, or a set number of each run, or blocks."),
        choices=PATTERNS,
    )
    width: int = spec(
        4,
        "integer",
        N_("width of the pattern"),
        N_("Weights in a run, or rows and columns of a block."),
        low=2,
        high=64,
        step=1,
    )
    layers: Mapping[str, float] = spec(
        LayerMap(),
        "layers",
        N_("sparsity by layer"),
        N_("Layers with a share of their own."),
        **SPARSITY,
    )
    exclude: tuple[str, ...] = spec(
        (), "names", N_("leave whole"), N_("Layers that lose no weights.")
    )
    seed: int = spec(
        0,
        "integer",
        N_("seed"),
        N_("The lot drawn by the random criterion."),
        low=0,
        high=2**31 - 1,
        step=1,
    )

    def __post_init__(self) -> None:
        chosen = type(self.scope) is str and self.scope == AUTO
        if chosen:
            object.__setattr__(self, "scope", SCOPES[0].value)
        check_fields(self, "prune")
        if chosen:
            object.__setattr__(self, "scope", DEFAULT_SCOPES[self.criterion])

    def omitted_default(self, name: str) -> Any:
        """Return the value of a field that a recipe's text leaves out, or None.

        Global scopes are left out where they are the criterion's own; all others are written, so
        that a text says by itself how layers compete.
        """
        own = DEFAULT_SCOPES[self.criterion]
        return own if name == "scope" and own == "global" else None

    def sparsity_of(self, name: str) -> float:
        """Return the share of zeros asked of the tensor called `name`: 0 leaves it whole."""
        if name in self.exclude:
            return 0.0
        return self.layers.get(name, self.sparsity if self.scope != "layer" else 0.0)
