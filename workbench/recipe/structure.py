"""Structured pruning: what fraction of channels, filters and neurons is removed, and which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workbench.errors import RecipeError
from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, Settings, choice, integer, layer_map, name_list, real

CRITERIA = (
    Choice(
        "group_norm",
        N_("group norm"),
        N_("Removes the channels with the smallest weights over all layers that share them."),
        "Fang et al. 2023, DepGraph, arXiv 2301.12900",
    ),
    Choice(
        "magnitude",
        N_("magnitude"),
        N_("Removes the channels that the smallest weights produce."),
        "Li et al. 2016, arXiv 1608.08710",
    ),
    Choice(
        "gradient",
        N_("gradient"),
        N_("Removes the channels that affect the loss least, by weight × gradient."),
        "Molchanov et al. 2016, arXiv 1611.06440",
        alias="taylor",
    ),
    Choice(
        "curvature",
        N_("curvature"),
        N_(
            "Removes the channels that affect the next layers' outputs least on calibration "
            "examples; the other channels compensate for them."
        ),
        "Hassibi & Stork 1992, over channels",
    ),
    Choice("random", N_("random"), N_("Removes random channels: a baseline for other criteria.")),
)

SCOPES = (
    Choice("uniform", N_("uniform"), N_("Every layer loses the same fraction of its channels.")),
    Choice(
        "global",
        N_("global"),
        N_("All layers compete by scores relative to the mean of a layer."),
    ),
    Choice(
        "named", N_("by layer"), N_("Only the layers listed lose channels, each its own fraction.")
    ),
)

MULTIPLES = (
    Choice(1, N_("any number"), N_("Each layer keeps exactly the remaining channels.")),
    *(Choice(n, str(n)) for n in (2, 4, 8, 16, 32)),
)

REMOVED = (0.0, 0.95, 0.01)


@dataclass(frozen=True)
class Structure(Settings):
    """Remove channels, filters and neurons; the remaining network is dense and smaller.

    Layers whose channels are added or normalized together are coupled: they lose the same channels.

    Attributes
    ----------
    removed : float
        The requested fraction of channels to remove, 0 to 0.95. Every layer keeps at least one.
    criterion, seed : str, int
        How the channels are chosen, and the seed of the random criterion.
    scope : str
        Whether layers compete.
    layers : mapping of str to float
        The fraction to remove of single layers and all that are coupled to them.
    exclude : tuple of str
        Layers that keep all channels, with all that are coupled to them.
    multiple : int
        Layers that lose channels keep the nearest multiple of this number.
    """

    removed: float = real(
        0.5,
        REMOVED,
        N_("channels removed"),
        N_(
            "The fraction of channels, filters and neurons that is removed. A layer between two "
            "that are halved keeps only a quarter of its weights."
        ),
    )
    criterion: str = choice(
        "group_norm",
        CRITERIA,
        N_("criterion for channels"),
        N_("How the channels to remove are chosen."),
    )
    scope: str = choice(
        "uniform",
        SCOPES,
        N_("scope of channels"),
        N_("Whether layers lose channels equally, compete, or are set one by one."),
    )
    layers: Mapping[str, float] = layer_map(
        REMOVED,
        N_("channels by layer"),
        N_("Layers with their own fraction, which also applies to the layers coupled to them."),
    )
    exclude: tuple[str, ...] = name_list(
        N_("keep all channels"), N_("Layers that lose no channels.")
    )
    seed: int = integer(
        0, (0, 2**31 - 1), N_("seed of channels"), N_("The random seed of the random criterion.")
    )
    multiple: int = choice(
        1,
        MULTIPLES,
        N_("multiple of channels"),
        N_(
            "The number of channels that a layer keeps is the nearest multiple of this. Kernels "
            "are often fastest at multiples of 8 or 16."
        ),
    )

    def layer_fraction(self, coupled: Iterable[str]) -> float | None:
        """Return the fraction set for the layers `coupled` themselves; None if there is none.

        Raises
        ------
        RecipeError
            If they are given different fractions.
        """
        names = list(coupled)
        if any(name in self.exclude for name in names):
            return 0.0
        fractions = {name: self.layers[name] for name in names if name in self.layers}
        if len(set(fractions.values())) > 1:
            raise RecipeError(
                f"{' and '.join(fractions)} are coupled and lose the same channels: set the "
                "same fraction for them.",
                code="recipe.coupled_layers_differ",
            )
        return next(iter(fractions.values()), None)
