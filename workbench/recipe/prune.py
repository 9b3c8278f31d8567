"""Pruning: what fraction of the weights becomes zero, and which ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.i18n import mark as N_
from workbench.recipe.schema import (
    Bounds,
    Choice,
    Settings,
    choice,
    integer,
    layer_map,
    name_list,
    real,
)

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
        N_("Removes the weights that affect the loss least, by weight × gradient."),
        "Molchanov et al. 2016, arXiv 1611.06440",
        alias="taylor",
    ),
    Choice(
        "curvature",
        N_("curvature"),
        N_(
            "Removes the weights that affect a layer's outputs least on calibration examples; the "
            "other weights compensate for them."
        ),
        "Frantar & Alistarh 2023, SparseGPT, arXiv 2301.00774",
        alias="sparsegpt",
    ),
    Choice("random", N_("random"), N_("Removes random weights: a baseline for other criteria.")),
)

NEEDS_GRADIENTS = frozenset({"gradient"})
"""The criteria that need gradients on calibration data."""

NEEDS_COVARIANCE = frozenset({"curvature"})
"""The criteria that need input covariances and adjust the remaining weights."""

SCOPES = (
    Choice(
        "global",
        N_("global"),
        N_("All layers compete: the least important weights are removed anywhere."),
    ),
    Choice(
        "adaptive",
        N_("adaptive"),
        N_("All layers compete by scores relative to the remaining weights of a layer (LAMP)."),
        "Lee et al. 2020, arXiv 2010.07611",
        alias="lamp",
    ),
    Choice("uniform", N_("uniform"), N_("Every layer loses the same fraction of its weights.")),
    Choice(
        "named", N_("by layer"), N_("Only the layers listed lose weights, each its own fraction.")
    ),
)

PATTERNS = (
    Choice("free", N_("single weights"), N_("Any weight can become zero.")),
    Choice(
        "n_m",
        N_("N of M"),
        N_(
            "Every run of M weights along the input keeps the same number of weights, in all "
            "layers: sparsity 0.5 and M = 4 give 2:4."
        ),
        "Mishra et al. 2021, arXiv 2104.08378",
    ),
    Choice(
        "block",
        N_("blocks"),
        N_("Square blocks of weights are kept or removed together, by their mean score."),
        "Gray et al. 2017",
    ),
)

AUTO = "auto"
"""Replaced by the default scope of the criterion when a `Prune` is created."""
DEFAULT_SCOPES = {
    "magnitude": "global",
    "gradient": "global",
    "curvature": "adaptive",
    "random": "global",
}
"""The default scope of each criterion; benchmarks/criteria.py compares them."""

SPARSITY = Bounds(0.0, 0.99, 0.01)


@dataclass(frozen=True)
class Prune(Settings):
    """Set the least important weights to zero.

    Attributes
    ----------
    sparsity : float
        The requested fraction of zeros in the tensors in scope, 0 to 0.99.
    criterion : str
        How the weights to remove are chosen.
    scope : str
        Whether layers compete. By default that of `DEFAULT_SCOPES` for the criterion.
    pattern : str
        ``free``: single weights. ``n_m``: each run of `width` weights keeps the same number, at
        least one. ``block``: squares of `width` by `width` weights.
    width : int
        The size of the pattern.
    layers : mapping of str to float
        The sparsity of single tensors, which do not compete.
    exclude : tuple of str
        Tensors that are not pruned.
    seed : int
        For the random criterion.

    Examples
    --------
    >>> import workbench as wb
    >>> recipe = wb.Recipe(wb.Prune(0.75, exclude=("fc2.weight",)))
    >>> weights = wb.compress(wb.model("fashion/mlp-32"), recipe).weights()
    >>> (weights["fc1.weight"] == 0).double().mean().item()
    0.75
    """

    sparsity: float = real(
        0.5, SPARSITY, N_("sparsity"), N_("The fraction of weights set to zero.")
    )
    criterion: str = choice(
        "magnitude", CRITERIA, N_("criterion"), N_("How the weights to remove are chosen.")
    )
    scope: str = choice(
        AUTO,
        SCOPES,
        N_("scope"),
        N_("Whether layers compete, are pruned equally, or are set one by one."),
    )
    pattern: str = choice(
        "free",
        PATTERNS,
        N_("pattern"),
        N_("Whether single weights, a fixed number in each run, or blocks are removed."),
    )
    width: int = integer(
        4,
        (2, 64),
        N_("width of the pattern"),
        N_("The weights in a run, or the rows and columns of a block."),
    )
    layers: Mapping[str, float] = layer_map(
        SPARSITY, N_("sparsity by layer"), N_("Layers with their own sparsity.")
    )
    exclude: tuple[str, ...] = name_list(N_("do not prune"), N_("Layers that lose no weights."))
    seed: int = integer(
        0, (0, 2**31 - 1), N_("seed"), N_("The random seed of the random criterion.")
    )

    def __post_init__(self) -> None:
        auto = type(self.scope) is str and self.scope == AUTO
        if auto:
            object.__setattr__(self, "scope", SCOPES[0].value)
        super().__post_init__()
        if auto:
            object.__setattr__(self, "scope", DEFAULT_SCOPES[self.criterion])

    def omitted_default(self, name: str) -> Any:
        """Return the value of a field that JSON text omits, or None.

        A global scope is omitted if it is the criterion's default. All others are written, so that
        the text says how layers compete.
        """
        default = DEFAULT_SCOPES[self.criterion]
        return default if name == "scope" and default == "global" else None

    def sparsity_of(self, name: str) -> float:
        """Return the requested fraction of zeros in the tensor `name`."""
        if name in self.exclude:
            return 0.0
        return self.layers.get(name, self.sparsity if self.scope != "named" else 0.0)
