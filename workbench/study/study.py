"""The description of a study: frozen plain data with a digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from workbench.domain import Model
from workbench.errors import InputError
from workbench.recipe.schema import brief
from workbench.study.space import Space
from workbench.validation import expect_count, expect_model

VERSION = 2
"""Incremented when equal descriptions no longer give equal trials."""

SAMPLER_NAMES = ("grid", "sobol", "surrogate", "evolution", "directed", "by_layer", "tpe")


@dataclass(frozen=True)
class Study:
    """Which recipes of a model are measured, in which order.

    Equal studies propose equal recipes: it holds everything that the proposals depend on, and
    `digest` identifies it.

    Attributes
    ----------
    model : str
        The name of the model.
    identity : tuple of str
        Digests of its weights, code and data.
    space : Space
        The recipes.
    sampler : str
        How recipes are chosen: ``grid``, ``sobol``, ``surrogate`` (by the expected gain of
        hypervolume), ``evolution``, ``directed`` (toward the limits), ``by_layer`` (bits of layers)
        or, with Optuna, ``tpe``.
    recipes : int or None
        How many recipes are measured at most; None for all of the space.
    max_bytes : int or None
        Recipes with larger files are not evaluated.
    min_value : float or None
        The value of the metric that the directed sampler keeps.
    seed : int
        Of the sampler.
    batch : int
        How many recipes are proposed at a time and compared with the same rivals, so that trials do
        not depend on timing. At most this many are measured at the same time.
    """

    model: str
    identity: tuple[str, ...]
    space: Space
    sampler: str = "surrogate"
    recipes: int | None = None
    max_bytes: int | None = None
    min_value: float | None = None
    seed: int = 0
    batch: int = 4

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLER_NAMES:
            raise InputError(
                f"There is no sampler {self.sampler!r}: choose one of {', '.join(SAMPLER_NAMES)}.",
                code="study.unknown_sampler",
            )
        if not isinstance(self.space, Space):
            raise InputError(
                f"Give a space, such as Space({{'quantize.bits': [4, 8]}}), not "
                f"{brief(self.space)}.",
                code="study.not_a_space",
            )
        expect_count(self.seed, "The seed", 0)
        object.__setattr__(self, "batch", expect_count(self.batch, "batch"))
        for name, value in (("recipes", self.recipes), ("max_bytes", self.max_bytes)):
            if value is not None:
                object.__setattr__(self, name, expect_count(value, name))

    @classmethod
    def of(cls, model: Model, space: Space, **settings: Any) -> Study:
        """Return the study of a model; `settings` are the other fields.

        >>> import workbench as wb
        >>> from workbench.study import Space, Study
        >>> space = Space({"quantize.bits": [2, 4, 8]})
        >>> Study.of(wb.model("fashion/lenet5"), space, sampler="grid").model
        'fashion/lenet5'
        """
        identity = expect_model(model).identity
        return cls(model.name, identity, space, **settings)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "version": VERSION,
            "model": self.model,
            "identity": list(self.identity),
            "space": self.space.as_dict(),
            "sampler": self.sampler,
            "recipes": self.recipes,
            "max_bytes": self.max_bytes,
            "min_value": self.min_value,
            "seed": self.seed,
            "batch": self.batch,
        }

    @property
    def digest(self) -> str:
        """The SHA-256 of the description, in hexadecimal."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
