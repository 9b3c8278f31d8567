"""Structured pruning: which share of the channels, filters and neurons is removed, and which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workbench.errors import RecipeError
from workbench.i18n import mark as N_
from workbench.recipe.layermap import LayerMap
from workbench.recipe.schema import Choice, check_fields, spec

CRITERIA = (
    Choice(
        "group norm",
        N_("group norm"),
        N_("Removes the channels whose weights are smallest over all layers that share them."),
        "Fang et al. 2023, DepGraph, arXiv 2301.12900",
    ),
    Choice(
        "magnitude",
        N_("magnitude"),
        N_("Removes the channels that small weights make."),
        "Li et al. 2016, arXiv 1608.08710",
    ),
    Choice(
        "gradient",
        N_("gradient"),
        N_("Removes the channels without which the loss would change least, by weight × gradient."),
        "Molchanov et al. 2016, arXiv 1611.06440",
    ),
    Choice(
        "curvature",
        N_("curvature"),
        N_(
            "Removes the channels that change the next layers' outputs least on calibration "
            "examples, and lets the others make good what is lost."
        ),
        "Hassibi & Stork 1992, over channels",
    ),
    Choice(
        "random", N_("random"), N_("Removes channels by lot: the floor any criterion must beat.")
    ),
)

SCOPES = (
    Choice("uniform", N_("uniform"), N_("Every layer loses the same share of its channels.")),
    Choice(
        "global",
        N_("global"),
        N_("All layers compete, each channel measured against the mean of its layer."),
    ),
    Choice("layer", N_("by layer"), N_("Only the layers named lose channels, each its own share.")),
)

MULTIPLES = (
    Choice(1, N_("any number"), N_("Each layer keeps as many channels as the share leaves.")),
    *(Choice(n, str(n)) for n in (2, 4, 8, 16, 32)),
)

REMOVED = {"low": 0.0, "high": 0.95, "step": 0.01}


@dataclass(frozen=True)
class Structure:
    """Remove whole channels, filters and neurons: what is left is dense, and smaller.

    `removed` is the share of channels asked for (0 to 0.95); every layer keeps at least one.
    Layers whose channels are added up or normalised together are coupled and lose the same ones.
    `layers` gives layers, with all that are coupled to them, their own share; `exclude` leaves
    them whole; `seed` serves the random criterion. Layers that lose channels keep a multiple of
    `multiple`, the nearest there is.
    """

    removed: float = spec(
        0.5,
        "real",
        N_("channels removed"),
        N_(
            "The share of channels, filters and neurons taken out. Between two layers thinned to "
            "a half, only a quarter of the weights is left."
        ),
        **REMOVED,
    )
    criterion: str = spec(
        "group norm",
        "choice",
        N_("criterion for channels"),
        N_("How the channels to remove are chosen."),
        choices=CRITERIA,
    )
    scope: str = spec(
        "uniform",
        "choice",
        N_("scope of channels"),
        N_("Whether layers lose channels alike, compete, or are set one by one."),
        choices=SCOPES,
    )
    layers: Mapping[str, float] = spec(
        LayerMap(),
        "layers",
        N_("channels by layer"),
        N_("Layers, with those coupled to them, that lose a share of their own."),
        **REMOVED,
    )
    exclude: tuple[str, ...] = spec(
        (), "names", N_("leave all channels"), N_("Layers that lose no channels.")
    )
    seed: int = spec(
        0,
        "integer",
        N_("seed of channels"),
        N_("The lot drawn by the random criterion."),
        low=0,
        high=2**31 - 1,
        step=1,
    )
    multiple: int = spec(
        1,
        "choice",
        N_("multiple of channels"),
        N_(
            "The number of channels that a layer keeps is the nearest multiple of this: kernels "
            "are often fastest at multiples of 8 or 16."
        ),
        choices=MULTIPLES,
    )

    def __post_init__(self) -> None:
        check_fields(self, "structure")

    def layer_fraction(self, coupled: Iterable[str]) -> float | None:
        """Return the share that the layers `coupled` lose by their own; None where none is set.

        Raises
        ------
        RecipeError
            When they are given different shares.
        """
        names = list(coupled)
        if any(name in self.exclude for name in names):
            return 0.0
        own = {name: self.layers[name] for name in names if name in self.layers}
        if len(set(own.values())) > 1:
            raise RecipeError(
                f"{' and '.join(own)} are coupled and lose the same channels: give them one share."
            )
        return next(iter(own.values()), None)
